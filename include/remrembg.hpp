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

#include "remrembg-values.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace remrembg {

/// Told of the stage that runs and how much of it is done, 0 to 1; on the thread that
/// removes, so on several at once where several remove.
using Progress = std::function<void(remrembg_stage stage, float fraction)>;

namespace detail {

struct Free {
    void operator()(remrembg_error *error) const noexcept { remrembg_error_free(error); }
    void operator()(remrembg_options *options) const noexcept { remrembg_options_free(options); }
    void operator()(remrembg_output *output) const noexcept { remrembg_output_free(output); }
    void operator()(remrembg_remover *remover) const noexcept { remrembg_remover_free(remover); }
};

template <class T>
using Handle = std::unique_ptr<T, Free>;

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
    /// ends that. It may call anything, also remove with the same objects; of two
    /// removers whose callbacks call each other, one must not be at its bound on
    /// removals (in_flight), or each waits for the other. It lives
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
