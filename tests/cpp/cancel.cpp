/* Another thread ends an upload, and other operations, that wait for a server.
 *
 *   cancel SILENT ROOM-MS, where SILENT is an endpoint that takes everything and answers nothing */

#include "fixture.hpp"

#include <future>
#include <thread>

namespace {

using clock_type = std::chrono::steady_clock;

/** Runs what blocks, cancels it once `begun` is told, and gives its error. */
template <class Blocks>
oss::error cancelled(const oss::cancellation& cancellation, std::future<void> begun, std::chrono::milliseconds room,
                     const Blocks& blocks) {
  clock_type::time_point time;
  std::thread other([&] {
    begun.wait();
    time = clock_type::now();
    cancellation.cancel();
  });
  oss::error error = error_of(blocks);
  const clock_type::time_point end = clock_type::now();
  other.join();
  assert(end - time < std::chrono::milliseconds(200) + room);
  assert(error.code() == oss::code::cancelled && error.thrown() == nullptr && cancellation.is_cancelled());
  return error;
}

}  // namespace

int main(int argc, char** argv) {
  assert(argc == 3);
  const std::chrono::milliseconds room(std::atoi(argv[2]));
  const oss::client client(client_options().endpoint(argv[1]));

  {
    oss::cancellation cancellation;
    std::promise<void> handed_over;
    bool told = false;
    oss::put_options options;
    options.cancellation(cancellation).progress([&](std::uint64_t sent, std::optional<std::uint64_t> total) {
      if (sent == total && !std::exchange(told, true)) handed_over.set_value();
    });
    // The operation keeps what it needs of it.
    const oss::cancellation moved = std::move(cancellation);
    const oss::error error = cancelled(moved, handed_over.get_future(), room, [&] {
      client.put_object(bucket, "object", "hello"sv, oss::no_callback, options);
    });
    // The last byte may have been on its way, or not.
    assert(error.stored() != oss::stored::yes);
    const oss::error later = error_of([&] { client.put_object(bucket, "object", "x"sv, oss::no_callback, options); });
    assert(later.code() == oss::code::cancelled && later.stored() == oss::stored::no);
  }
  {
    const oss::cancellation cancellation;
    std::promise<void> begun;
    const auto head = [&] {
      begun.set_value();
      static_cast<void>(client.head_object(bucket, "object", oss::operation_options().cancellation(cancellation)));
    };
    const oss::error error = cancelled(cancellation, begun.get_future(), room, head);
    assert(error.stored() == oss::stored::no);
  }
}
