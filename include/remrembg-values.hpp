/* What the calls of remrembg.hpp take and throw, beside its classes: views of bytes and
 * pixels, text, sizes, and errors. That header includes this one. */

#ifndef REMREMBG_VALUES_HPP
#define REMREMBG_VALUES_HPP

#include "remrembg.h"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace remrembg {

namespace detail {

inline const char *text(const char *found) noexcept { return found == nullptr ? "" : found; }

template <class Container>
using Element = std::remove_cv_t<std::remove_pointer_t<decltype(std::declval<Container &>().data())>>;

template <class Container>
using IfBytes = std::enable_if_t<
    (std::is_integral_v<Element<Container>> || std::is_same_v<Element<Container>, std::byte>) &&
    sizeof(Element<Container>) == 1 &&
    std::is_convertible_v<decltype(std::declval<Container &>().size()), std::size_t>>;

template <class Container>
using IfRoom = std::enable_if_t<std::is_convertible_v<decltype(std::declval<Container &>().data()), void *>,
                                IfBytes<Container>>;

template <class T>
using IfText = std::enable_if_t<
    std::is_convertible_v<const T &, std::string_view> && !std::is_convertible_v<const T &, const char *>>;

template <class T>
using IfNumber = std::enable_if_t<std::is_arithmetic_v<T> && !std::is_same_v<T, char>>;

}  // namespace detail

/// The version of the library in use; REMREMBG_VERSION is that of the header.
[[nodiscard]] inline std::string_view version() noexcept { return remrembg_version(); }

/// Why a call failed; what() is for people. Owns its texts: it outlives all else.
class Error : public std::runtime_error {
public:
    /// Copies the texts of `error`, which stays the caller's.
    Error(remrembg_code code, const remrembg_error *error)
        : std::runtime_error(detail::text(remrembg_error_message(error))), code_(code),
          kind_(remrembg_error_kind(error)), status_(remrembg_error_status(error)),
          texts_(std::make_shared<const Texts>(
              Texts{detail::text(remrembg_error_name(error)), detail::text(remrembg_error_json(error)),
                    detail::text(remrembg_error_reason(error))})) {}

    // Without these there would be a move, which leaves an error without its texts.
    Error(const Error &) noexcept = default;
    Error &operator=(const Error &) noexcept = default;

    /// What happened.
    [[nodiscard]] remrembg_code code() const noexcept { return code_; }
    /// Who has to act.
    [[nodiscard]] remrembg_kind kind() const noexcept { return kind_; }
    /// The code's name, as `"corrupt_image"`.
    [[nodiscard]] const std::string &name() const noexcept { return texts_->name; }
    /// The HTTP status that the hosted API would answer.
    [[nodiscard]] std::uint16_t status() const noexcept { return status_; }
    /// The body that the hosted API would answer.
    [[nodiscard]] const std::string &json() const noexcept { return texts_->json; }
    /// Why, where the message is the same for many causes and the cause is known; else empty.
    [[nodiscard]] const std::string &reason() const noexcept { return texts_->reason; }

private:
    struct Texts {
        std::string name, json, reason;
    };

    remrembg_code code_;
    remrembg_kind kind_;
    std::uint16_t status_;
    std::shared_ptr<const Texts> texts_;
};

/// Text for C, made of characters, a number, or a bool as `true` or `false`. A number
/// is written alike in every locale; a null pointer stays one. Throws
/// std::invalid_argument for characters with a NUL among them, where C would see the end.
class Text {
public:
    Text(const char *text) : text_(text == nullptr ? std::nullopt : std::optional<std::string>(text)) {}

    template <class T, class = detail::IfText<T>>
    Text(const T &text) : text_(std::string_view(text))
    {
        if (text_->find('\0') != std::string::npos) {
            throw std::invalid_argument("remrembg: text with a NUL inside");
        }
    }

    template <class T, class = detail::IfNumber<T>>
    Text(T number)
    {
        if constexpr (std::is_same_v<T, bool>) {
            text_ = number ? "true" : "false";
        } else {
            char text[64];
            text_.emplace(text, std::to_chars(text, text + sizeof text, number).ptr);
        }
    }

    /// The text with a NUL at its end. It lives as long as the Text.
    [[nodiscard]] const char *c_str() const noexcept { return text_ ? text_->c_str() : nullptr; }

private:
    std::optional<std::string> text_;
};

/// A view of bytes, whose owner keeps them unchanged while the view is used.
class Bytes {
public:
    /// No bytes at all: a request without a picture, which is refused.
    Bytes() noexcept = default;
    Bytes(const void *data, std::size_t size) noexcept : data_(static_cast<const std::uint8_t *>(data)), size_(size) {}

    /// Of a vector, array, string, string_view, span... with elements of one byte. An
    /// empty one is a file without bytes, wherever its data() points.
    template <class Container, class = detail::IfBytes<const Container>>
    Bytes(const Container &bytes) noexcept
        : Bytes(bytes.size() == 0 ? static_cast<const void *>("") : bytes.data(), bytes.size()) {}

    [[nodiscard]] const std::uint8_t *data() const noexcept { return data_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] const std::uint8_t *begin() const noexcept { return data_; }
    [[nodiscard]] const std::uint8_t *end() const noexcept { return data_ + size_; }

    /// The same bytes as streams take them: `stream << bytes.chars()`.
    [[nodiscard]] std::string_view chars() const noexcept { return {reinterpret_cast<const char *>(data_), size_}; }

private:
    const std::uint8_t *data_ = nullptr;
    std::size_t size_ = 0;
};

/// A view of a decoded picture. `row` is the stride, 0 for rows without gaps.
struct Pixels : remrembg_pixels {
    Pixels(Bytes bytes, std::uint32_t wide, std::uint32_t high, remrembg_layout order, std::size_t row = 0) noexcept
        : remrembg_pixels{bytes.data(), bytes.size(), wide, high, row, order} {}
};

/// A view of room for pixels, as many as Options::size() tells. It may be the memory
/// of the source. `row` is the stride, 0 for rows without gaps.
struct Target : remrembg_target {
    Target(void *bytes, std::size_t length, std::uint32_t wide, std::uint32_t high, remrembg_layout order,
           std::size_t row = 0) noexcept
        : remrembg_target{static_cast<std::uint8_t *>(bytes), length, wide, high, row, order} {}

    /// In a vector, array, span... with elements of one byte.
    template <class Container, class = detail::IfRoom<Container>>
    Target(Container &&bytes, std::uint32_t wide, std::uint32_t high, remrembg_layout order, std::size_t row = 0) noexcept
        : Target(bytes.data(), bytes.size(), wide, high, order, row) {}

    /// None: the pixels are left to the Output, in rows without gaps.
    explicit Target(remrembg_layout order) noexcept : remrembg_target{nullptr, 0, 0, 0, 0, order} {}
};

/// Width and height in pixels.
struct Size {
    std::uint32_t width, height;
};

}  // namespace remrembg

#endif
