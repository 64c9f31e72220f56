/**
 * How values are passed to the library: text, bytes, lengths, times; and what owns its handles.
 *
 * Part of <oss_callback.hpp>, which is the manual.
 */

#ifndef OSS_CALLBACK_ARGUMENTS_HPP
#define OSS_CALLBACK_ARGUMENTS_HPP

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "../oss_callback.h"

/* Whether the throwing functions exist. */
#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
#define OSS_CALLBACK_EXCEPTIONS 1
#define OSS_CALLBACK_FORM throwing
#else
#define OSS_CALLBACK_EXCEPTIONS 0
#define OSS_CALLBACK_FORM not_throwing
#endif

/* Lets one shared object catch an exception that another throws, even with -fvisibility=hidden. */
#if defined(__GNUC__) || defined(__clang__)
#define OSS_CALLBACK_VISIBLE __attribute__((visibility("default")))
#else
#define OSS_CALLBACK_VISIBLE
#endif

namespace oss_callback OSS_CALLBACK_VISIBLE {
/* Files with and without -fno-exceptions may be linked into one program. Their functions differ, so their names do
 * too. */
inline namespace OSS_CALLBACK_FORM {

/**
 * A string argument: UTF-8, from a `const char *`, a std::string, a std::string_view or anything that converts to one.
 *
 * A null pointer means no text. Where text is required, the call then fails and names the argument: for instance when
 * `std::getenv("OSS_ENDPOINT")` finds no such variable. Text with a NUL inside is refused, as is text that is not
 * UTF-8; it is never cut short. This is a parameter type: it is valid only for the call it is made for.
 */
class text {
 public:
  text(const char* terminated) noexcept : begin_(terminated) {}
  text(const std::string& string) : text(string, string.c_str()) {}
  text(std::string_view view) : text(view, nullptr) {}
  template <class Text, class = std::enable_if_t<std::is_convertible_v<const Text&, std::string_view> &&
                                                 !std::is_convertible_v<const Text&, const char*>>>
  text(const Text& from) : text(static_cast<std::string_view>(from), nullptr) {}

  text(const text&) = delete;
  text& operator=(const text&) = delete;
  ~text() = default;

  /** NUL-terminated, or a null pointer for no text. */
  [[nodiscard]] const char* c_str() const noexcept { return begin_; }

 private:
  text(std::string_view view, const char* terminated) : begin_(terminated) {
    const bool has_nul = view.find('\0') != std::string_view::npos;
    if (terminated == nullptr || has_nul) {
      copy_ = view;
      // This byte never occurs in UTF-8.
      std::replace(copy_.begin(), copy_.end(), '\0', '\xff');
      begin_ = copy_.c_str();
    }
  }

  const char* begin_;
  std::string copy_;
};

/**
 * A bytes argument: anything with std::data and std::size whose elements are bytes, such as std::string,
 * std::string_view, std::vector<std::uint8_t>, std::array<std::byte, 16> or C++20's std::span. The library reads them
 * during the call and does not copy them.
 *
 * Arrays of char are refused, because it is unclear whether their final NUL belongs to them: write
 * std::string_view("hello").
 */
class bytes {
  template <class Element>
  static constexpr bool is_byte = std::is_same_v<Element, char> || std::is_same_v<Element, signed char> ||
                                  std::is_same_v<Element, unsigned char> || std::is_same_v<Element, std::byte>;

  template <class Container>
  using element = std::remove_cv_t<std::remove_pointer_t<decltype(std::data(std::declval<const Container&>()))>>;

 public:
  constexpr bytes() noexcept = default;
  constexpr bytes(const std::uint8_t* data, std::size_t size) noexcept : data_(data), size_(size) {}
  template <class Container, class = std::enable_if_t<is_byte<element<Container>>>,
            class = decltype(std::size(std::declval<const Container&>()))>
  bytes(const Container& container) noexcept
      : data_(reinterpret_cast<const std::uint8_t*>(std::data(container))), size_(std::size(container)) {}
  template <std::size_t Size>
  bytes(const char (&array)[Size]) = delete;  // NOLINT(*-avoid-c-arrays)

  [[nodiscard]] constexpr const std::uint8_t* data() const noexcept { return data_; }
  [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
  [[nodiscard]] constexpr const std::uint8_t* begin() const noexcept { return data_; }
  [[nodiscard]] constexpr const std::uint8_t* end() const noexcept { return data_ + size_; }

  /** The same bytes as characters. */
  [[nodiscard]] std::string_view text() const noexcept { return {reinterpret_cast<const char*>(data_), size_}; }

 private:
  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

/** A point in time as OSS gives it: whole seconds. The same type as C++20's std::chrono::sys_seconds. */
using sys_seconds = std::chrono::time_point<std::chrono::system_clock, std::chrono::seconds>;

/** The version of the linked library, such as "0.1.0"; OSS_CALLBACK_VERSION is the header's. */
inline std::string_view library_version() noexcept { return ::oss_callback_version(); }
/** The same version as a number that increases with each release; OSS_CALLBACK_VERSION_NUMBER is the header's. */
inline std::uint32_t library_version_number() noexcept { return ::oss_callback_version_number(); }

namespace internal {

template <class Handle, void (*Free)(Handle*)>
struct freed {
  void operator()(Handle* handle) const noexcept { Free(handle); }
};

/** A handle of the library that is freed with its owner. */
template <class Handle, void (*Free)(Handle*)>
using owned = std::unique_ptr<Handle, freed<Handle, Free>>;

/** Makes a handle with a function that fails only on a bug in the library, which it has reported on standard error. */
template <class Handle, class New, class... Arguments>
Handle* new_handle(New make_handle, Arguments... arguments) noexcept {
  Handle* handle = nullptr;
  if (make_handle(arguments..., &handle) != OSS_CALLBACK_CODE_OK) std::terminate();
  return handle;
}

/** Negative times count as 0. */
inline std::uint64_t count(std::chrono::milliseconds time) noexcept {
  return static_cast<std::uint64_t>(std::max<std::chrono::milliseconds::rep>(time.count(), 0));
}

inline std::uint64_t count(std::chrono::seconds time) noexcept {
  return static_cast<std::uint64_t>(std::max<std::chrono::seconds::rep>(time.count(), 0));
}

/** Milliseconds from now; 0 for a time in the past. */
inline std::uint64_t left_until(std::chrono::steady_clock::time_point time) noexcept {
  return count(std::chrono::ceil<std::chrono::milliseconds>(time - std::chrono::steady_clock::now()));
}

/** Seconds since 1970; 0 for earlier times. */
template <class Duration>
std::uint64_t since_1970(std::chrono::time_point<std::chrono::system_clock, Duration> time) noexcept {
  return count(std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()));
}

/** A time beyond the type's range becomes the latest one within it. */
inline sys_seconds time_of(std::uint64_t seconds) noexcept {
  constexpr auto most = static_cast<std::uint64_t>(std::chrono::seconds::max().count());
  return sys_seconds(std::chrono::seconds(static_cast<std::chrono::seconds::rep>(std::min(seconds, most))));
}

/**
 * A length that may be unknown. The number that means "unknown" in C is refused as a length, like any that is too
 * large.
 */
inline std::uint64_t len_of(std::optional<std::uint64_t> len) noexcept {
  return len ? std::min(*len, OSS_CALLBACK_LEN_UNKNOWN - 1) : OSS_CALLBACK_LEN_UNKNOWN;
}

/** A path with a NUL inside becomes the empty path, which names no file. */
inline std::string path_of(const std::filesystem::path& path) {
  std::string text = path.string();
  return text.find('\0') == std::string::npos ? text : std::string();
}

/** Text that may be missing. */
inline std::optional<std::string_view> optional_text(const char* text) noexcept {
  if (text == nullptr) return std::nullopt;
  return text;
}

/** Empty if the text is missing. */
inline std::string_view view_of(const char* text) noexcept { return text != nullptr ? text : ""; }
inline std::string copy_of(const char* text) { return text != nullptr ? text : ""; }

/** A number that a function of the library writes, if it knows it. */
template <class Handle>
std::optional<std::uint64_t> optional_number(bool (*function)(const Handle*, std::uint64_t*),
                                             const Handle* handle) noexcept {
  std::uint64_t number = 0;
  if (!function(handle, &number)) return std::nullopt;
  return number;
}

/** A time that a function of the library writes, if it knows it. */
template <class Handle>
std::optional<sys_seconds> optional_time(bool (*function)(const Handle*, std::uint64_t*),
                                         const Handle* handle) noexcept {
  const std::optional<std::uint64_t> seconds = optional_number(function, handle);
  if (!seconds) return std::nullopt;
  return time_of(*seconds);
}

/** Bytes that the library lends. */
template <class Handle>
std::string_view lent_bytes(const std::uint8_t* (*function)(const Handle*, std::size_t*),
                            const Handle* handle) noexcept {
  std::size_t size = 0;
  const std::uint8_t* data = function(handle, &size);
  return bytes(data, data != nullptr ? size : 0).text();
}

/** A fixed number of bytes that the library lends; zeros if there are none. */
template <std::size_t Size>
std::array<std::uint8_t, Size> array_of(const std::uint8_t* data) noexcept {
  std::array<std::uint8_t, Size> copy{};
  if (data != nullptr) std::copy_n(data, Size, copy.begin());
  return copy;
}

}  // namespace internal
}  // namespace OSS_CALLBACK_FORM
}  // namespace OSS_CALLBACK_VISIBLE

#endif  // OSS_CALLBACK_ARGUMENTS_HPP
