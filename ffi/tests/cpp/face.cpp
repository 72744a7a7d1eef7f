/* What remrembg.hpp promises, on a model that gives back the picture's red channel. */

#include <remrembg.hpp>

#include "../c/check.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>
#include <locale>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#if __has_include(<span>) && __cplusplus >= 202002L
#include <span>
#endif

using remrembg::Bytes;
using remrembg::Error;
using remrembg::Options;
using remrembg::Output;
using remrembg::Pixels;
using remrembg::Remover;
using remrembg::Target;
using remrembg::Text;

namespace {

constexpr std::uint32_t SIDE = 8;
constexpr auto RGBA = REMREMBG_LAYOUT_RGBA8;
using Buffer = std::vector<std::uint8_t>;

/* Colours of the left half, which is the subject, and of the right one. */
constexpr std::array<std::uint8_t, 3> LEFT{255, 20, 40};
constexpr std::array<std::uint8_t, 3> RIGHT{0, 60, 80};

Buffer rgb()
{
    Buffer out;
    for (std::uint32_t i = 0; i < SIDE * SIDE; i++) {
        const auto &color = i % SIDE < SIDE / 2 ? LEFT : RIGHT;
        out.insert(out.end(), color.begin(), color.end());
    }
    return out;
}

/* The same picture as a file. */
Buffer bmp()
{
    Buffer out(54);
    const std::pair<std::size_t, std::uint8_t> head[] = {{0, 'B'}, {1, 'M'}, {2, 54 + SIDE * SIDE * 3}, {10, 54},
                                                         {14, 40}, {18, SIDE}, {22, SIDE}, {26, 1}, {28, 24}};
    for (const auto &[place, value] : head) {
        out[place] = value;
    }
    const Buffer pixels = rgb();
    for (std::size_t i = 0; i < pixels.size(); i += 3) {
        out.insert(out.end(), {pixels[i + 2], pixels[i + 1], pixels[i]});
    }
    return out;
}

/* What the call fails with; REMREMBG_OK when it does not. */
template <class Call>
remrembg_code code_of(Call call)
{
    try {
        call();
    } catch (const Error &error) {
        return error.code();
    }
    return REMREMBG_OK;
}

/* What the call throws as text; nothing when it does not. */
template <class Call>
std::string thrown_by(Call call)
{
    try {
        call();
    } catch (const std::exception &error) {
        return error.what();
    }
    return {};
}

bool is_png(Bytes bytes)
{
    return bytes.chars().substr(0, 4) == "\x89PNG";
}

/* The cut-out of the picture: the left half stays, the right one is gone. */
bool is_cut_out(const std::uint8_t *row, bool red_last)
{
    const std::uint8_t *const left = row, *const right = row + (SIDE - 1) * 4;
    return left[red_last ? 2 : 0] == LEFT[0] && left[1] == LEFT[1] && left[red_last ? 0 : 2] == LEFT[2]
        && left[3] == 255 && right[3] == 0;
}

Options tiny()
{
    const char *const model = std::getenv("REMREMBG_TEST_MODEL");
    if (model == nullptr) {
        throw std::runtime_error("REMREMBG_TEST_MODEL has to name the model");
    }
    return Options().set("model", model).set("model_recipe", "size=8").set("engine", "rten");
}

static_assert(!std::is_copy_constructible_v<Remover> && std::is_nothrow_move_constructible_v<Remover>);
static_assert(!std::is_copy_constructible_v<Options> && std::is_nothrow_move_constructible_v<Options>);
static_assert(!std::is_copy_constructible_v<Output> && std::is_nothrow_move_constructible_v<Output>);
static_assert(std::is_nothrow_move_assignable_v<Remover> && std::is_nothrow_move_assignable_v<Options>);
static_assert(std::is_nothrow_move_assignable_v<Output> && std::is_nothrow_copy_constructible_v<Error>);
static_assert(!std::is_convertible_v<const char *, Bytes> && !std::is_convertible_v<std::vector<int>, Bytes>);
static_assert(!std::is_convertible_v<char, Text> && !std::is_convertible_v<void *, Text>);
static_assert(!std::is_constructible_v<Target, const Buffer &, std::uint32_t, std::uint32_t, remrembg_layout>);

struct Comma : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
};

void values_become_text()
{
    const std::locale before = std::locale::global(std::locale(std::locale::classic(), new Comma));
    CHECK_TEXT(Text(12345).c_str(), "12345");
    CHECK_TEXT(Text(-1.5).c_str(), "-1.5");
    CHECK_TEXT(Text(0.1F).c_str(), "0.1");
    CHECK_TEXT(Text(std::uint64_t{1} << 40).c_str(), "1099511627776");
    CHECK_TEXT(Text(std::uint8_t{65}).c_str(), "65");
    CHECK_TEXT(Text(0).c_str(), "0");
    CHECK_TEXT(Text(true).c_str(), "true");
    CHECK_TEXT(Text(false).c_str(), "false");
    std::locale::global(before);
    CHECK_TEXT(Text("a").c_str(), "a");
    CHECK_TEXT(Text(std::string("b")).c_str(), "b");
    CHECK_TEXT(Text(std::string_view("cd").substr(0, 1)).c_str(), "c");
    CHECK(Text(nullptr).c_str() == nullptr);
    CHECK_TEXT(thrown_by([] { Text(std::string("a\0b", 3)); }).c_str(), "remrembg: text with a NUL inside");

    const auto [width, height] = Options().set("w", 200).set("angle", 90.0).set("exact_resize", false).size(400, 100);
    CHECK(width == 50 && height == 200);
    CHECK(code_of([] { (void)Options().set("w", nullptr); }) == REMREMBG_MISUSE);
    CHECK(code_of([] { (void)Options().set("w", "\xff").size(1, 1); }) == REMREMBG_NOT_AN_INTEGER);
}

void bytes_of_every_kind_are_read(const Remover &remover)
{
    const Buffer file = bmp();
    std::array<std::byte, 54 + SIDE * SIDE * 3> array{};
    std::memcpy(array.data(), file.data(), file.size());
    const std::string string(file.begin(), file.end());
    const Options png = Options().set("format", "png");
    const Output first = remover.remove(file, png);
    CHECK(is_png(first.data()) && first.width() == SIDE && first.height() == SIDE);
    CHECK_TEXT(first.mime().c_str(), "image/png");
    CHECK(first.time(REMREMBG_STAGE_SEGMENT).count() > 0);
    CHECK(first.time(REMREMBG_STAGE_ROTATE).count() == 0);
    CHECK(first.coverage() > 0 && first.coverage() < 1 && first.confidence() > 0 && first.confidence() <= 1);
    CHECK(first.bounds().has_value() && (*first.bounds())[2] <= SIDE && (*first.bounds())[3] <= SIDE);
    const auto gives_the_same = [&](Bytes bytes) {
        const Output output = remover.remove(bytes, png);
        return output.data().chars() == first.data().chars();
    };
    CHECK(gives_the_same(string));
    CHECK(gives_the_same(std::string_view(string)));
    CHECK(gives_the_same(array));
    CHECK(gives_the_same({file.data(), file.size()}));
#ifdef __cpp_lib_span
    CHECK(gives_the_same(std::span<const std::byte>(array)));
    CHECK(gives_the_same(std::span(file)));
#endif
    CHECK(Buffer(first.data().begin(), first.data().end()).size() == first.data().size());
    CHECK_TEXT(remover.remove(file).mime().c_str(), "image/webp");
    CHECK(code_of([&] { (void)remover.remove(file, png, "photo.BMP"); }) == REMREMBG_OK);
}

void what_is_no_picture_is_told(const Remover &remover)
{
    const auto code = [&](Bytes bytes, const Text &name = nullptr) {
        return code_of([&] { (void)remover.remove(bytes, Options(), name); });
    };
    CHECK(code({}) == REMREMBG_NO_IMAGE);
    CHECK(code(Buffer()) == REMREMBG_EMPTY_FILE);
    CHECK(code(std::string_view()) == REMREMBG_EMPTY_FILE);
    CHECK(code(std::string("photo.png")) == REMREMBG_CORRUPT_IMAGE);
    CHECK(code(bmp(), "") == REMREMBG_NO_FILE_SELECTED);
    CHECK(code(bmp(), "photo.gif") == REMREMBG_FILE_TYPE);
}

void files_are_read(const Remover &remover)
{
    const auto folder = std::filesystem::temp_directory_path() / ("remrembg-face-" + std::to_string(std::random_device()()));
    std::filesystem::create_directory(folder);
    const auto path = folder / std::filesystem::u8path("\xc3\xa9t\xc3\xa9.bmp");
    std::ofstream(path, std::ios::binary) << Bytes(bmp()).chars();
    const Output output = remover.remove_file(path, Options().set("format", "png"));
    CHECK(is_png(output.data()));
    Buffer room(SIDE * SIDE * 4);
    CHECK(remover.remove_file_into(path, Target(room, SIDE, SIDE, RGBA)).width() == SIDE);
    CHECK(is_cut_out(room.data(), false));
    CHECK(code_of([&] { (void)remover.remove_file(folder / "absent.bmp"); }) == REMREMBG_CANNOT_READ);
    std::string cut = path.string();
    cut.append("\0.bmp", 5);
    CHECK(thrown_by([&] { (void)remover.remove_file(cut); }) == "remrembg: text with a NUL inside");
    std::filesystem::remove_all(folder);
}

void pixels_go_in_and_out(const Remover &remover)
{
    const Buffer source = rgb();
    const Pixels picture(source, SIDE, SIDE, REMREMBG_LAYOUT_RGB8);
    const Output png = remover.remove(picture, Options().set("format", "png"));
    CHECK(is_png(png.data()));

    Buffer room(SIDE * SIDE * 4);
    const Output filled = remover.remove_into(picture, Target(room, SIDE, SIDE, RGBA));
    CHECK(is_cut_out(room.data(), false));
    CHECK(filled.data().empty() && filled.mime().empty() && filled.width() == SIDE && filled.height() == SIDE);

    std::array<std::byte, SIDE * SIDE * 4> bgra{};
    remover.remove_into(bmp(), Target(bgra, SIDE, SIDE, REMREMBG_LAYOUT_BGRA8));
    CHECK(is_cut_out(reinterpret_cast<const std::uint8_t *>(bgra.data()), true));

    constexpr std::size_t STRIDE = SIDE * 4 + 5;
    Buffer wide(STRIDE * SIDE, 7);
    remover.remove_into(picture, Target(wide, SIDE, SIDE, RGBA, STRIDE));
    CHECK(is_cut_out(wide.data(), false) && is_cut_out(wide.data() + STRIDE * (SIDE - 1), false));
    CHECK(wide[SIDE * 4] == 7 && wide.back() == 7);

    // A cut-out of a cut-out, in its own memory; alpha does not hide the red channel.
    const Pixels of_rows(wide, SIDE, SIDE, RGBA, STRIDE);
    remover.remove_into(of_rows, Target(wide.data(), wide.size(), SIDE, SIDE, RGBA, STRIDE));
    CHECK(is_cut_out(wide.data() + STRIDE, false) && wide[SIDE * 4] == 7);

    const Output kept = remover.remove_into(picture, Target(RGBA));
    CHECK(kept.data().size() == room.size() && std::equal(room.begin(), room.end(), kept.data().begin()));
    CHECK(kept.mime().empty());

    CHECK(code_of([&] { remover.remove_into(picture, Target(room, SIDE, SIDE + 1, RGBA)); }) == REMREMBG_BAD_PIXELS);
    CHECK(code_of([&] { remover.remove_into(picture, Target(room, SIDE, SIDE, remrembg_layout{})); }) == REMREMBG_MISUSE);
    CHECK(code_of([&] { (void)remover.remove(Pixels(source, SIDE, SIDE, RGBA)); }) == REMREMBG_BAD_PIXELS);
}

void masks_are_brought_and_mattes_given(const Remover &remover)
{
    const Buffer source = rgb();
    const Buffer white(SIDE * SIDE, 255);
    const Pixels picture(source, SIDE, SIDE, REMREMBG_LAYOUT_RGB8);
    const Pixels all(white, SIDE, SIDE, REMREMBG_LAYOUT_GRAY8);
    Options options = Options().mask(all);
    Buffer room(SIDE * SIDE * 4);
    remover.remove_into(picture, Target(room, SIDE, SIDE, RGBA), options);
    CHECK(std::all_of(room.begin() + 3, room.end(), [&, at = 0](auto value) mutable { return at++ % 4 != 0 || value == 255; }));
    options.mask(Bytes());
    remover.remove_into(picture, Target(room, SIDE, SIDE, RGBA), options);
    CHECK(is_cut_out(room.data(), false));
    CHECK(code_of([&] { (void)remover.remove(picture, Options().mask(Bytes("no picture", 10))); }) == REMREMBG_CORRUPT_IMAGE);
    const Output matte = remover.remove_into(picture, Target(REMREMBG_LAYOUT_MATTE));
    CHECK(matte.data().size() == std::size_t{matte.width()} * matte.height() * sizeof(float));
}

void errors_are_those_of_the_hosted_api(const Remover &remover)
{
    const Options wrong = Options().set("w", "abc").set("angle", 500);
    try {
        (void)remover.remove(bmp(), wrong);
        CHECK(code_of([] {}) != REMREMBG_OK);
    } catch (const Error &caught) {
        Error error = caught;
        const Error taken = std::move(error);
        for (const Error &each : {caught, error, taken}) {
            CHECK(each.code() == REMREMBG_MULTIPLE && each.kind() == REMREMBG_KIND_VALIDATION && each.status() == 400);
            CHECK_TEXT(each.what(), "Multiple validation errors");
            CHECK_TEXT(each.name().c_str(), "multiple");
            CHECK_TEXT(each.reason().c_str(), "");
            CHECK_TEXT(each.json().c_str(),
                       "{\"error\":\"Multiple validation errors\",\"details\":["
                       "{\"field\":\"w\",\"message\":\"'w' must be an integer, got: 'abc'\"},"
                       "{\"field\":\"angle\",\"message\":\"'angle' must be between -360 and 360 degrees, got: 500.0\"}"
                       "],\"status\":400}");
        }
    }
    CHECK(code_of([&] { (void)wrong.size(8, 8); }) == REMREMBG_MULTIPLE);
    CHECK(code_of([] { Remover(Options().set("engine", "none")); }) != REMREMBG_OK);
    CHECK(remover.remove(bmp()).width() == SIDE);
}

void progress_is_told(const Remover &remover)
{
    std::vector<std::pair<remrembg_stage, float>> told;
    Options options;
    options.progress([&](remrembg_stage stage, float fraction) { told.emplace_back(stage, fraction); });
    (void)remover.remove(bmp(), options);
    CHECK(!told.empty() && told.front() == std::pair(REMREMBG_STAGE_DECODE, 0.0F));
    CHECK(!told.empty() && told.back() == std::pair(REMREMBG_STAGE_ENCODE, 1.0F));
    CHECK(std::is_sorted(told.begin(), told.end()));
    told.clear();
    options.progress(nullptr);
    (void)remover.remove(bmp(), options);
    CHECK(told.empty());
}

void exceptions_come_out(const Remover &remover)
{
    int told = 0;
    Options options;
    options.progress([&](remrembg_stage, float) {
        told++;
        throw std::runtime_error("thrown");
    });
    CHECK(thrown_by([&] { (void)remover.remove(bmp(), options); }) == "thrown");
    CHECK(told == 1);
    Buffer room(SIDE * SIDE * 4);
    CHECK(thrown_by([&] { remover.remove_into(bmp(), Target(room, SIDE, SIDE, RGBA), options); }) == "thrown");

    options.progress([&](remrembg_stage, float) {
        options.cancel();
        throw 7;
    });
    int caught = 0;
    try {
        (void)remover.remove(bmp(), options);
    } catch (int number) {
        caught = number;
    }
    CHECK(caught == 7);
    CHECK(remover.remove(bmp()).width() == SIDE);
}

void a_progress_function_may_remove(const Remover &remover)
{
    int depth = 0, inside = 0;
    Options options;
    // Each callback of the outer removal removes; within that, those of one stage do.
    options.progress([&](remrembg_stage stage, float) {
        if (depth == 2) {
            throw std::runtime_error("deep");
        }
        if (depth == 1 && stage != REMREMBG_STAGE_SEGMENT) {
            return;
        }
        depth++;
        inside += thrown_by([&] { (void)remover.remove(bmp(), options); }) == "deep";
        depth--;
    });
    CHECK(remover.remove(bmp(), options).width() == SIDE);
    CHECK(inside > 6);

    Options others;
    others.progress([&](remrembg_stage, float) { (void)remover.remove(Bytes()); });
    CHECK(code_of([&] { (void)remover.remove(bmp(), others); }) == REMREMBG_NO_IMAGE);
}

/* A removal on another thread that waits in its progress function until it may go on. */
struct Held {
    std::promise<void> begun, go;
    std::future<remrembg_code> code;
    std::weak_ptr<int> alive;

    Held(const Remover &remover, Options &options)
    {
        auto owned = std::make_shared<int>(0);
        alive = owned;
        options.progress([this, owned, first = std::make_shared<std::atomic<bool>>(true)](remrembg_stage, float) {
            if (first->exchange(false)) {
                begun.set_value();
                go.get_future().wait();
            }
            ++*owned;
        });
        code = std::async(std::launch::async, [&] { return code_of([&] { (void)remover.remove(bmp(), options); }); });
        owned.reset();
        begun.get_future().wait();
    }

    remrembg_code end()
    {
        go.set_value();
        return code.get();
    }
};

void another_thread_cancels(const Remover &remover)
{
    Options options;
    Held removal(remover, options);
    options.cancel();
    CHECK(removal.end() == REMREMBG_CANCELLED);
    CHECK(code_of([&] { (void)remover.remove(bmp(), options); }) == REMREMBG_CANCELLED);
}

void options_may_go_while_a_removal_runs(const Remover &remover)
{
    auto options = std::make_unique<Options>();
    Held destroyed(remover, *options);
    options.reset();
    CHECK(!destroyed.alive.expired());
    CHECK(destroyed.end() == REMREMBG_OK);
    CHECK(destroyed.alive.expired());

    Options changed;
    Held removal(remover, changed);
    changed.set("w", "abc").progress(nullptr);
    CHECK(!removal.alive.expired());
    CHECK(removal.end() == REMREMBG_OK && removal.alive.expired());

    Options from;
    Held moved(remover, from);
    Options to = std::move(from);
    to.cancel();
    CHECK(moved.end() == REMREMBG_CANCELLED);
}

void what_was_moved_from_is_refused(Remover &remover)
{
    Options options = Options().set("w", 4);
    Options taken = std::move(options);
    CHECK(taken.size(8, 8).width == 4);
    CHECK(code_of([&] { options.set("w", 4); }) == REMREMBG_MISUSE);
    CHECK(code_of([&] { options.progress([](remrembg_stage, float) {}); }) == REMREMBG_MISUSE);
    CHECK(code_of([&] { (void)options.size(8, 8); }) == REMREMBG_MISUSE);
    CHECK(code_of([&] { (void)remover.remove(bmp(), options); }) == REMREMBG_MISUSE);
    CHECK(code_of([&] { Remover made(options); }) == REMREMBG_MISUSE);
    options.cancel();
    options = std::move(taken);
    CHECK(remover.remove(bmp(), options).width() == 4);

    Output output = remover.remove(bmp());
    const std::uint8_t *const data = output.data().data();
    const Output kept = std::move(output);
    CHECK(kept.data().data() == data);
    CHECK(output.data().empty() && output.width() == 0 && output.mime().empty());

    Remover other = std::move(remover);
    CHECK(remover.engine() == nullptr);
    CHECK(code_of([&] { (void)remover.remove(bmp()); }) == REMREMBG_MISUSE);
    remover = std::move(other);
    CHECK_TEXT(remover.engine()->name, "rten");
    CHECK(remover.remove(bmp()).width() == SIDE);
}

void threads_share_a_remover_and_options(const Remover &remover)
{
    constexpr int ROUNDS = 25;
    Options options;
    std::atomic<int> told{0};
    options.set("format", "png").progress([&](remrembg_stage stage, float fraction) {
        if (stage == REMREMBG_STAGE_DECODE && fraction == 0.0F && told++ % 5 == 0) {
            throw std::this_thread::get_id();
        }
    });
    const Buffer file = bmp();
    const Output expected = remover.remove(file, Options().set("format", "png"));
    std::vector<std::future<std::pair<int, int>>> threads;
    for (int i = 0; i < 4; i++) {
        threads.push_back(std::async(std::launch::async, [&] {
            std::pair<int, int> good{0, 0};
            for (int round = 0; round < ROUNDS; round++) {
                try {
                    const Output output = remover.remove(file, options);
                    good.first += output.data().chars() == expected.data().chars();
                } catch (const std::thread::id &thrower) {
                    good.second += thrower == std::this_thread::get_id();
                }
            }
            return good;
        }));
    }
    std::pair<int, int> good{0, 0};
    for (auto &thread : threads) {
        const auto [made, thrown] = thread.get();
        good = {good.first + made, good.second + thrown};
    }
    CHECK(good.first == 4 * ROUNDS * 4 / 5 && good.second == 4 * ROUNDS / 5);
    CHECK(told == 4 * ROUNDS);
}

}  // namespace

int main()
{
    try {
        Remover remover(tiny());
        CHECK(remrembg::version() == REMREMBG_VERSION);
        CHECK_TEXT(remover.engine()->name, "rten");
        values_become_text();
        bytes_of_every_kind_are_read(remover);
        what_is_no_picture_is_told(remover);
        files_are_read(remover);
        pixels_go_in_and_out(remover);
        masks_are_brought_and_mattes_given(remover);
        errors_are_those_of_the_hosted_api(remover);
        progress_is_told(remover);
        exceptions_come_out(remover);
        a_progress_function_may_remove(remover);
        another_thread_cancels(remover);
        options_may_go_while_a_removal_runs(remover);
        what_was_moved_from_is_refused(remover);
        threads_share_a_remover_and_options(remover);
    } catch (const std::exception &error) {
        CHECK_TEXT(error.what(), "nothing thrown");
    }
    return checked();
}
