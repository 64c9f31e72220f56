/**
 * What the try_ functions, which do not throw, return: result and upload_result.
 *
 * Part of <oss_callback.hpp>, which is the manual.
 */

#ifndef OSS_CALLBACK_RESULTS_HPP
#define OSS_CALLBACK_RESULTS_HPP

#include "outcome.hpp"

namespace oss_callback OSS_CALLBACK_VISIBLE {
inline namespace OSS_CALLBACK_FORM {

namespace internal {

/** Several functions as one, for std::visit. */
template <class... Functions>
struct overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
overloaded(Functions...) -> overloaded<Functions...>;

/** A value was requested from an error: throws, or aborts the program if exceptions are off. */
[[noreturn]] inline void raise(const error& error) {
#if OSS_CALLBACK_EXCEPTIONS
  error.raise();
#else
  static_cast<void>(error);
  std::abort();
#endif
}

}  // namespace internal

/** A value or an error. Uploads, which have a third outcome, return an upload_result. */
template <class Value>
class [[nodiscard]] result {
 public:
  result(Value value) noexcept(std::is_nothrow_move_constructible_v<Value>) : outcome_(std::move(value)) {}
  result(oss_callback::error error) noexcept : outcome_(std::move(error)) {}

  [[nodiscard]] bool has_value() const noexcept { return outcome_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  /** The value. If there is none, throws the error as error::raise does; with -fno-exceptions, aborts the program. */
  [[nodiscard]] Value& value() & {
    check();
    return *std::get_if<Value>(&outcome_);
  }
  [[nodiscard]] const Value& value() const& {
    check();
    return *std::get_if<Value>(&outcome_);
  }
  [[nodiscard]] Value&& value() && {
    check();
    return std::move(*std::get_if<Value>(&outcome_));
  }
  [[nodiscard]] Value& operator*() & { return value(); }
  [[nodiscard]] const Value& operator*() const& { return value(); }
  [[nodiscard]] Value&& operator*() && { return std::move(*this).value(); }
  [[nodiscard]] Value* operator->() { return &value(); }
  [[nodiscard]] const Value* operator->() const { return &value(); }

  /** The error; null if there is a value. */
  [[nodiscard]] const oss_callback::error* error() const noexcept {
    return std::get_if<oss_callback::error>(&outcome_);
  }

 private:
  void check() const {
    if (const oss_callback::error* failed = error()) internal::raise(*failed);
  }

  std::variant<Value, oss_callback::error> outcome_;
};

/** Success without a value, or an error. */
template <>
class [[nodiscard]] result<void> {
 public:
  result() noexcept = default;
  result(oss_callback::error error) noexcept : error_(std::move(error)) {}

  [[nodiscard]] bool has_value() const noexcept { return !error_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }

  /** Does nothing on success; otherwise as for a result with a value. */
  void value() const {
    if (error_) internal::raise(*error_);
  }

  /** The error; null if there is none. */
  [[nodiscard]] const oss_callback::error* error() const noexcept { return error_ ? &*error_ : nullptr; }

 private:
  std::optional<oss_callback::error> error_;
};

/**
 * The outcome of an upload: a receipt (stored, and answered if there was a callback), a callback_failed (stored, but
 * the application server did not agree) or an error (stored() says whether it is stored).
 *
 * It does not convert to bool: neither answer to "did it work?" would be right for callback_failed.
 *
 *     client.try_put_object("photos", "cat.jpg", jpeg, spec).visit(
 *         [](const receipt& done) { ... },
 *         [](const callback_failed& failed) { ... failed.receipt() ... },
 *         [](const error& error) { ... });
 */
class [[nodiscard]] upload_result {
 public:
  using outcome_type = std::variant<receipt, callback_failed, error>;

  upload_result(oss_callback::receipt receipt) noexcept : outcome_(std::move(receipt)) {}
  upload_result(oss_callback::callback_failed failed) noexcept : outcome_(std::move(failed)) {}
  upload_result(oss_callback::error error) noexcept : outcome_(std::move(error)) {}

  /** Calls the function that takes the outcome. Code that has no function for one of the three does not compile. */
  template <class... Functions>
  decltype(auto) visit(Functions&&... functions) const {
    return std::visit(internal::overloaded{std::forward<Functions>(functions)...}, outcome_);
  }

  /** The outcome, for std::visit, std::get_if and so on. */
  [[nodiscard]] const outcome_type& outcome() const noexcept { return outcome_; }

  /** Is the object stored? */
  [[nodiscard]] oss_callback::stored stored() const noexcept {
    if (const auto* failed = std::get_if<oss_callback::error>(&outcome_)) return failed->stored();
    return oss_callback::stored::yes;
  }

  /**
   * The receipt. If there is none, throws callback_failed, or the error as error::raise does; see also result::value.
   */
  [[nodiscard]] const oss_callback::receipt& value() const {
    if (const auto* failed = std::get_if<oss_callback::error>(&outcome_)) internal::raise(*failed);
    if (const auto* failed = std::get_if<oss_callback::callback_failed>(&outcome_)) {
#if OSS_CALLBACK_EXCEPTIONS
      throw oss_callback::callback_failed(*failed);
#else
      static_cast<void>(failed);
      std::abort();
#endif
    }
    return *std::get_if<oss_callback::receipt>(&outcome_);
  }

 private:
  outcome_type outcome_;
};

}  // namespace OSS_CALLBACK_FORM
}  // namespace OSS_CALLBACK_VISIBLE

#endif  // OSS_CALLBACK_RESULTS_HPP
