/* remrembg for C++17: removes the background of pictures, wholly on this machine.
 *
 * A thin face over remrembg.h, whose comments say what everything means; these say
 * what C++ adds.
 *
 *     remrembg::Remover remover;
 *     remrembg::Output webp = remover.remove_file("in.jpg");
 *     remrembg::Output small = remover.remove_file("in.jpg", remrembg::Options().set("w", 200));
 *
 * What holds for everything:
 *
 * - Remover, Options and Output own what they stand for; they can be moved, not
 *   copied. One that was moved from can be assigned to and destroyed; any other use
 *   throws an Error with REMREMBG_MISUSE, or does nothing where nothing is thrown.
 * - Any number of threads may use one object at once. They have to be done with it
 *   before it is moved, assigned to or destroyed; but Options may go as soon as the
 *   removals with them have begun.
 * - What fails throws Error. Whatever is not noexcept may throw std::bad_alloc too.
 * - Text is UTF-8.
 */

#ifndef REMREMBG_HPP
#define REMREMBG_HPP

#include "remrembg.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace remrembg {

namespace detail {

struct Free {
    void operator()(remrembg_error *error) const noexcept { remrembg_error_free(error); }
    void operator()(remrembg_options *options) const noexcept { remrembg_options_free(options); }
    void operator()(remrembg_output *output) const noexcept { remrembg_output_free(output); }
    void operator()(remrembg_remover *remover) const noexcept { remrembg_remover_free(remover); }
};

template <class T>
using Handle = std::unique_ptr<T, Free>;

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

/// Told of the stage that runs and how much of it is done, 0 to 1; on the thread that
/// removes, so on several at once where several remove.
using Progress = std::function<void(remrembg_stage stage, float fraction)>;

namespace detail {

/* Makes a call that is passed the place for its error, and throws what it threw or failed with. */
template <class Call>
void check(Call call, const std::exception_ptr &thrown = nullptr)
{
    remrembg_error *place = nullptr;
    const remrembg_code code = call(&place);
    const Handle<remrembg_error> error(place);
    if (thrown) {
        std::rethrow_exception(thrown);
    }
    if (code != REMREMBG_OK) {
        throw Error(code, error.get());
    }
}

/* A removal that is running: what it tells, and what was thrown at it. */
struct Removal {
    const std::thread::id thread = std::this_thread::get_id();
    std::shared_ptr<const Progress> progress;
    std::exception_ptr thrown;
};

/* What the C interface knows of Options, at an address that stays; every running
 * removal keeps it alive.
 *
 * C is always given the same function and this address. The removal that is told of
 * is found by its thread: a thread_local variable would be another one in each
 * shared library that includes this header. */
struct State {
    const Handle<remrembg_options> handle{remrembg_options_new()};
    std::mutex mutex;
    std::shared_ptr<const Progress> progress;
    std::vector<Removal *> running;

    void begin(Removal &removal)
    {
        const std::lock_guard<std::mutex> lock(mutex);
        removal.progress = progress;
        running.push_back(&removal);
    }

    void end(const Removal &removal)
    {
        const std::lock_guard<std::mutex> lock(mutex);
        running.erase(std::find(running.begin(), running.end(), &removal));
    }

    /* The youngest of this thread: a progress function may itself remove. */
    Removal *running_here()
    {
        const std::lock_guard<std::mutex> lock(mutex);
        const auto found = std::find_if(running.rbegin(), running.rend(), [](const Removal *removal) {
            return removal->thread == std::this_thread::get_id();
        });
        return found == running.rend() ? nullptr : *found;
    }

    /* No exception may enter C: it waits with the removal, of which nobody is told any more. */
    static void tell(void *state, remrembg_stage stage, float fraction) noexcept
    {
        Removal *const removal = static_cast<State *>(state)->running_here();
        if (removal == nullptr || !removal->progress || removal->thrown) {
            return;
        }
        try {
            (*removal->progress)(stage, fraction);
        } catch (...) {
            removal->thrown = std::current_exception();
        }
    }
};

}  // namespace detail

/// The settings of a Remover, or the fields of a removal: remrembg_options_set() lists
/// both. What a thread changes counts for calls that begin later.
class Options {
public:
    Options() : state_(std::make_shared<detail::State>()) {}
    Options(Options &&) noexcept = default;
    Options &operator=(Options &&) noexcept = default;

    /// Sets `key`. Whoever takes the options checks them, all at once.
    Options &set(const Text &key, const Text &value) &
    {
        detail::check([&](auto error) { return remrembg_options_set(handle(), key.c_str(), value.c_str(), error); });
        return *this;
    }
    Options &&set(const Text &key, const Text &value) && { return std::move(set(key, value)); }

    /// Brings a mask in place of the model's for removals that begin from now on; it is
    /// copied. remrembg_options_set_mask() tells how it is read.
    Options &mask(const Pixels &mask) &
    {
        detail::check([&](auto error) { return remrembg_options_set_mask(handle(), &mask, error); });
        return *this;
    }
    Options &&mask(const Pixels &brought) && { return std::move(mask(brought)); }

    /// The same of an encoded picture; Bytes() takes back what was brought.
    Options &mask(Bytes mask) &
    {
        detail::check([&](auto error) {
            return remrembg_options_set_mask_bytes(handle(), mask.data(), mask.size(), error);
        });
        return *this;
    }
    Options &&mask(Bytes brought) && { return std::move(mask(brought)); }

    /// Has `told` called by each removal that begins from now on; an empty function
    /// ends that. It may call anything, also remove with the same objects. It lives
    /// until the last removal that began with it is over.
    ///
    /// What it throws comes out of the removing call, once the removal has run to its
    /// end unheard: it is not stopped, as others may share these options. A target may
    /// then be filled. To stop it sooner, call cancel() before throwing.
    Options &progress(Progress told) &
    {
        auto shared = told ? std::make_shared<const Progress>(std::move(told)) : nullptr;
        detail::check([&](auto error) {
            return remrembg_options_set_progress(handle(), detail::State::tell, state_.get(), error);
        });
        // The old function may own anything: it goes after the lock.
        const std::lock_guard<std::mutex> lock(state_->mutex);
        state_->progress.swap(shared);
        return *this;
    }
    Options &&progress(Progress told) && { return std::move(progress(std::move(told))); }

    /// Stops every removal with these options, running or yet to come: they throw an
    /// Error with REMREMBG_CANCELLED.
    void cancel() noexcept { remrembg_options_cancel(handle()); }

    /// The size that a removal of an upright picture of this size will give.
    [[nodiscard]] Size size(std::uint32_t width, std::uint32_t height) const
    {
        Size size{};
        detail::check([&](auto error) {
            return remrembg_options_size(handle(), width, height, &size.width, &size.height, error);
        });
        return size;
    }

private:
    friend class Remover;

    /* NULL would ask for the defaults; what is moved from or could not be made is refused. */
    [[nodiscard]] remrembg_options *handle() const noexcept
    {
        static std::max_align_t no_options;
        return state_ && state_->handle ? state_->handle.get() : reinterpret_cast<remrembg_options *>(&no_options);
    }

    std::shared_ptr<detail::State> state_;
};

/// What a removal made. It outlives the Remover and the Options.
class Output {
public:
    /// Owns what the C interface made.
    explicit Output(remrembg_output *made) noexcept : handle_(made) {}

    /// The encoded file or the pixels, none where a target was filled. They live as
    /// long as the Output.
    [[nodiscard]] Bytes data() const & noexcept
    {
        std::size_t size = 0;
        const std::uint8_t *const data = remrembg_output_data(handle_.get(), &size);
        return {data, size};
    }
    Bytes data() && = delete;

    [[nodiscard]] std::uint32_t width() const noexcept { return size().width; }
    [[nodiscard]] std::uint32_t height() const noexcept { return size().height; }

    /// The MIME type of an encoded file, as `"image/webp"`; empty for pixels.
    [[nodiscard]] std::string mime() const { return detail::text(remrembg_output_mime(handle_.get())); }

    /// How long a stage took; zero for one that did not run.
    [[nodiscard]] std::chrono::duration<double> time(remrembg_stage stage) const noexcept
    {
        return std::chrono::duration<double>(remrembg_output_time(handle_.get(), stage));
    }

    /// How much of the picture the subject is: the mean of the alpha, 0 to 1; 0 for a matte.
    [[nodiscard]] double coverage() const noexcept { return remrembg_output_coverage(handle_.get()); }

    /// How sure the model is of the subject, 0 to 1; 0 where nothing was found, and for a matte.
    [[nodiscard]] double confidence() const noexcept { return remrembg_output_confidence(handle_.get()); }

    /// Where the subject is in the upright picture: left, top, right and bottom in pixels, the last two beyond it. None
    /// where nothing was found, and for a matte.
    [[nodiscard]] std::optional<std::array<std::uint32_t, 4>> bounds() const noexcept
    {
        std::array<std::uint32_t, 4> box{};
        if (remrembg_output_bounds(handle_.get(), box.data()) == 0) return std::nullopt;
        return box;
    }

private:
    [[nodiscard]] Size size() const noexcept
    {
        Size size{};
        remrembg_output_size(handle_.get(), &size.width, &size.height);
        return size;
    }

    detail::Handle<remrembg_output> handle_;
};

/// A model on an engine: made once, used for many pictures.
///
/// Each way in has a twin with a target: it leaves the pixels there instead of
/// encoding them, and its output tells sizes and times.
class Remover {
public:
    /// Loads the model and the engine: tens to hundreds of milliseconds.
    explicit Remover(const Options &settings = Options())
    {
        remrembg_remover *made = nullptr;
        detail::check([&](auto error) { return remrembg_remover_new(settings.handle(), &made, error); });
        handle_.reset(made);
    }

    /// Of an encoded picture. The suffix of a name that an upload came with is checked.
    [[nodiscard]] Output remove(Bytes file, const Options &options = Options(), const Text &name = nullptr) const
    {
        return bytes(file, nullptr, options, name);
    }
    Output remove_into(Bytes file, const Target &target, const Options &options = Options(),
                       const Text &name = nullptr) const
    {
        return bytes(file, &target, options, name);
    }

    /// Of a picture on disk.
    [[nodiscard]] Output remove_file(const std::filesystem::path &file, const Options &options = Options()) const
    {
        return path(file, nullptr, options);
    }
    Output remove_file_into(const std::filesystem::path &file, const Target &target,
                            const Options &options = Options()) const
    {
        return path(file, &target, options);
    }

    /// Of a decoded picture.
    [[nodiscard]] Output remove(const Pixels &picture, const Options &options = Options()) const
    {
        return pixels(picture, nullptr, options);
    }
    Output remove_into(const Pixels &picture, const Target &target, const Options &options = Options()) const
    {
        return pixels(picture, &target, options);
    }

    /// What it runs on, living as long as the remover; null for one that was moved from.
    [[nodiscard]] const remrembg_engine *engine() const noexcept { return remrembg_remover_engine(handle_.get()); }

private:
    Output bytes(Bytes file, const Target *target, const Options &options, const Text &name) const
    {
        return run(options, [&](auto asked, auto output, auto error) {
            return remrembg_remove_bytes(handle_.get(), file.data(), file.size(), name.c_str(), asked, target, output, error);
        });
    }

    Output path(const std::filesystem::path &file, const Target *target, const Options &options) const
    {
        // A string of char8_t in C++20; everywhere but on Windows the path's own bytes.
        const auto encoded = file.u8string();
        const Text text(Bytes(encoded).chars());
        return run(options, [&](auto asked, auto output, auto error) {
            return remrembg_remove_path(handle_.get(), text.c_str(), asked, target, output, error);
        });
    }

    Output pixels(const Pixels &picture, const Target *target, const Options &options) const
    {
        return run(options, [&](auto asked, auto output, auto error) {
            return remrembg_remove_pixels(handle_.get(), &picture, asked, target, output, error);
        });
    }

    template <class Call>
    static Output run(const Options &options, Call call)
    {
        const std::shared_ptr<detail::State> state = options.state_;
        detail::Removal removal;
        Output made(nullptr);
        const auto removing = [&](auto error) {
            remrembg_output *output = nullptr;
            if (state) {
                state->begin(removal);
            }
            const remrembg_code code = call(options.handle(), &output, error);
            if (state) {
                state->end(removal);
            }
            made = Output(output);
            return code;
        };
        detail::check(removing, removal.thrown);
        return made;
    }

    detail::Handle<remrembg_remover> handle_;
};

}  // namespace remrembg

#endif
