/* What remrembg.hpp promises. */

#include "../c/check.h"
#include "picture.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <locale>
#include <random>
#include <stdexcept>
#include <string>
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
        what_was_moved_from_is_refused(remover);
    } catch (const std::exception &error) {
        CHECK_TEXT(error.what(), "nothing thrown");
    }
    return checked();
}
