/**
 * Hooks: functions in your program that the library calls, and how their exceptions reach your code.
 *
 * Part of <oss_callback.hpp>, which is the manual.
 */

#ifndef OSS_CALLBACK_HOOKS_HPP
#define OSS_CALLBACK_HOOKS_HPP

#include <functional>
#include <istream>
#include <mutex>
#include <ostream>

#include "results.hpp"

namespace oss_callback OSS_CALLBACK_VISIBLE {
inline namespace OSS_CALLBACK_FORM {

/**
 * Reads the next bytes of a body: writes at most `size` of them to `buffer` and returns how many; 0 at the end of the
 * body, a negative number on failure. `size` is never 0. It runs on the uploading thread, only during the call.
 */
using reader = std::function<std::ptrdiff_t(std::uint8_t* buffer, std::size_t size)>;

/** An access key pair: a RAM user's, or a role's with the token that STS issued and the time at which it expires. */
struct credentials {
  std::string access_key_id;
  std::string access_key_secret;
  std::optional<std::string> security_token = std::nullopt;
  std::optional<sys_seconds> expires = std::nullopt;
};

/** Returns credentials that are valid now; none on failure. */
using credentials_provider = std::function<std::optional<credentials>()>;

/** What a signer signs; oss_callback_signer_hook in oss_callback.h says how. */
struct signing_request {
  std::string_view string_to_sign;
  /** 4 or 1. */
  unsigned signature_version = 4;
  /** The scope of a version 4 signature: "20261124/cn-hangzhou/oss/aliyun_v4_request". */
  std::optional<std::string_view> scope = std::nullopt;
};

/** Signs where the secret is kept; returns none on failure. A signature has at most 255 bytes. */
using signer = std::function<std::optional<std::string>(const signing_request&)>;

namespace internal {

/** A client's hooks, and the last exception that one of them threw, on any thread. */
class client_hooks {
 public:
  explicit client_hooks(credentials_provider provide) : provide_(std::move(provide)) {}
  explicit client_hooks(signer sign) : sign_(std::move(sign)) {}

  [[nodiscard]] std::optional<credentials> provide() const { return provide_(); }
  [[nodiscard]] std::optional<std::string> sign(const signing_request& request) const { return sign_(request); }

  void keep(std::exception_ptr thrown) noexcept {
    const std::lock_guard<std::mutex> lock(mutex_);
    thrown_ = std::move(thrown);
  }
  [[nodiscard]] std::exception_ptr thrown() noexcept {
    const std::lock_guard<std::mutex> lock(mutex_);
    return thrown_;
  }

 private:
  credentials_provider provide_;
  signer sign_;
  std::mutex mutex_;
  std::exception_ptr thrown_;
};

using shared_hooks = std::shared_ptr<client_hooks>;

/** A call into the library on this thread: keeps what its hooks throw until the library has returned. */
class call {
 public:
  explicit call(const shared_hooks& hooks) noexcept : hooks_(hooks), outer_(innermost()) { innermost() = this; }
  ~call() { innermost() = outer_; }
  call(const call&) = delete;
  call& operator=(const call&) = delete;

  /** Keeps what a hook threw, for the call that the hook belongs to. */
  static void keep(std::exception_ptr thrown) noexcept {
    if (innermost() != nullptr) innermost()->thrown_ = std::move(thrown);
  }

  /** What a hook threw that may have ended this call with `code`. */
  [[nodiscard]] std::exception_ptr thrown(::oss_callback_code code) const noexcept {
    if (thrown_ != nullptr || hooks_ == nullptr || code != OSS_CALLBACK_CODE_CREDENTIALS_FAILED) return thrown_;
    return hooks_->thrown();
  }

 private:
  /** A hook may itself call the library. */
  static call*& innermost() noexcept {
    // NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables)
    static thread_local call* innermost = nullptr;
    return innermost;
  }

  const shared_hooks& hooks_;
  call* outer_;
  std::exception_ptr thrown_;
};

/**
 * Runs a hook. If it throws, returns `otherwise` and hands the exception to `keep`. No exception leaves this function.
 */
template <class Result, class Hook, class Keep>
Result guarded(Result otherwise, const Hook& hook, const Keep& keep) noexcept {
#if OSS_CALLBACK_EXCEPTIONS
  try {
    return hook();
  } catch (...) {
    keep(std::current_exception());
    return otherwise;
  }
#else
  static_cast<void>(otherwise);
  static_cast<void>(keep);
  return hook();
#endif
}

/** Calls a library function that makes something. */
template <class Value, class Handle, class Function>
result<Value> make_with(const shared_hooks& hooks, const Function& function) {
  Handle* handle = nullptr;
  ::oss_callback_error* failed = nullptr;
  const call current(hooks);
  const ::oss_callback_code code = function(&handle, &failed);
  if (code != OSS_CALLBACK_CODE_OK) return error(static_cast<oss_callback::code>(code), failed, current.thrown(code));
  return Value(handle);
}

/** The same for functions that call no hook. */
template <class Value, class Handle, class Function>
result<Value> make(const Function& function) {
  return make_with<Value, Handle>(shared_hooks(), function);
}

/** Calls a library function that makes nothing. */
template <class Function>
result<void> run_with(const shared_hooks& hooks, const Function& function) {
  ::oss_callback_error* failed = nullptr;
  const call current(hooks);
  const ::oss_callback_code code = function(&failed);
  if (code != OSS_CALLBACK_CODE_OK) return error(static_cast<oss_callback::code>(code), failed, current.thrown(code));
  return {};
}

/** Calls a library function that stores an object. */
template <class Function>
upload_result upload_with(const shared_hooks& hooks, const Function& function) {
  ::oss_callback_receipt* done = nullptr;
  ::oss_callback_error* failed = nullptr;
  const call current(hooks);
  const ::oss_callback_code code = function(&done, &failed);
  if (code == OSS_CALLBACK_CODE_OK) return receipt(done);
  if (code == OSS_CALLBACK_CODE_CALLBACK_FAILED) return callback_failed(failed);
  return error(static_cast<oss_callback::code>(code), failed, current.thrown(code));
}

/** Whether a hook that returns bool or nothing wants to continue. */
template <class Hook, class... Arguments>
bool goes_on(Hook& hook, Arguments&&... arguments) {
  using returned = std::invoke_result_t<Hook&, Arguments...>;
  static_assert(std::is_void_v<returned> || std::is_same_v<returned, bool>,
                "the hook returns nothing, or a bool: true goes on, false ends the operation");
  if constexpr (std::is_void_v<returned>) {
    hook(std::forward<Arguments>(arguments)...);
    return true;
  } else {
    return hook(std::forward<Arguments>(arguments)...);
  }
}

using progress_function = std::function<bool(std::uint64_t, std::optional<std::uint64_t>)>;
using write_function = std::function<bool(bytes)>;

inline int report_progress(std::uint64_t sent, std::uint64_t total, void* userdata) noexcept {
  const auto& hook = *static_cast<const progress_function*>(userdata);
  const auto known = total == OSS_CALLBACK_LEN_UNKNOWN ? std::nullopt : std::optional<std::uint64_t>(total);
  return guarded(1, [&] { return hook(sent, known) ? 0 : 1; }, call::keep);
}

/** The library passes a hook's userdata back; it does not change it. */
template <class Hook>
void* userdata_of(const Hook& hook) noexcept {
  return const_cast<Hook*>(&hook);
}

inline std::int64_t read_body(std::uint8_t* buffer, std::size_t size, void* userdata) noexcept {
  const auto& hook = *static_cast<const reader*>(userdata);
  return guarded(std::int64_t{-1}, [&] { return static_cast<std::int64_t>(hook(buffer, size)); }, call::keep);
}

inline int write_contents(const std::uint8_t* data, std::size_t size, void* userdata) noexcept {
  const auto& hook = *static_cast<const write_function*>(userdata);
  return guarded(1, [&] { return hook(bytes(data, size)) ? 0 : 1; }, call::keep);
}

inline client_hooks& client_hooks_of(void* userdata) noexcept { return **static_cast<shared_hooks*>(userdata); }

inline void forget_client_hooks(void* userdata) noexcept { delete static_cast<shared_hooks*>(userdata); }

inline int provide_credentials(::oss_callback_credentials* into, void* userdata) noexcept {
  client_hooks& hooks = client_hooks_of(userdata);
  const auto provide = [&] {
    const std::optional<credentials> given = hooks.provide();
    if (!given) {
      hooks.keep(nullptr);
      return 1;
    }
    const text id(given->access_key_id);
    const text secret(given->access_key_secret);
    const text token = given->security_token ? text(*given->security_token) : text(nullptr);
    ::oss_callback_credentials_set_key_pair(into, id.c_str(), secret.c_str(), token.c_str());
    if (given->expires) ::oss_callback_credentials_set_expires_at_s(into, since_1970(*given->expires));
    return 0;
  };
  return guarded(1, provide, [&](std::exception_ptr thrown) { hooks.keep(std::move(thrown)); });
}

inline std::int64_t sign_text(const char* string_to_sign, std::uint32_t version, const char* scope, char* signature,
                              std::size_t size, void* userdata) noexcept {
  client_hooks& hooks = client_hooks_of(userdata);
  const auto sign = [&]() -> std::int64_t {
    const std::optional<std::string> given = hooks.sign({string_to_sign, version, optional_text(scope)});
    if (!given || given->size() > size) {
      hooks.keep(nullptr);
      return -1;
    }
    return static_cast<std::int64_t>(given->copy(signature, given->size()));
  };
  return guarded(std::int64_t{-1}, sign, [&](std::exception_ptr thrown) { hooks.keep(std::move(thrown)); });
}

/**
 * Reads a stream from its current position, at most `most` bytes. It reads the stream's buffer directly and leaves the
 * stream's state alone, because an exception mask must not turn the end of the stream into a failure.
 */
inline reader reader_of(std::istream& stream, std::optional<std::uint64_t> most) {
  return [&stream, most, taken = std::uint64_t{0}](std::uint8_t* buffer, std::size_t size) mutable -> std::ptrdiff_t {
    // A file that could not be opened would be uploaded as an empty object.
    if (stream.fail()) return -1;
    if (most) size = static_cast<std::size_t>(std::min<std::uint64_t>(size, *most - taken));
    auto* const to = reinterpret_cast<char*>(buffer);
#if OSS_CALLBACK_EXCEPTIONS
    const std::streamsize count = stream.rdbuf()->sgetn(to, static_cast<std::streamsize>(size));
#else
    // The stream turns what its buffer throws into a failed state.
    std::streamsize count = 0;
    if (size > 0 && !stream.eof()) {
      stream.read(to, static_cast<std::streamsize>(size));
      count = stream.gcount();
    }
    if (stream.bad()) return -1;
    if (stream.eof()) stream.clear(std::ios_base::eofbit);
#endif
    taken += static_cast<std::uint64_t>(count);
    return static_cast<std::ptrdiff_t>(count);
  };
}

/** Writes to a stream. Flushes, because data left in its buffer might fail to reach the disk after the last check. */
inline write_function writer_of(std::ostream& stream) {
  return [&stream](bytes contents) {
    stream.write(contents.text().data(), static_cast<std::streamsize>(contents.size()));
    stream.flush();
    return stream.good();
  };
}

}  // namespace internal
}  // namespace OSS_CALLBACK_FORM
}  // namespace OSS_CALLBACK_VISIBLE

#endif  // OSS_CALLBACK_HOOKS_HPP
