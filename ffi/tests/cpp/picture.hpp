/* A picture whose left half is the subject to a model that gives back its red channel. */
#ifndef PICTURE_HPP
#define PICTURE_HPP

#include <remrembg.hpp>

#include <array>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

using remrembg::Bytes;
using remrembg::Error;
using remrembg::Options;

constexpr std::uint32_t SIDE = 8;
constexpr auto RGBA = REMREMBG_LAYOUT_RGBA8;
using Buffer = std::vector<std::uint8_t>;

/* Colours of the left half, which is the subject, and of the right one. */
constexpr std::array<std::uint8_t, 3> LEFT{255, 20, 40};
constexpr std::array<std::uint8_t, 3> RIGHT{0, 60, 80};

inline Buffer rgb()
{
    Buffer out;
    for (std::uint32_t i = 0; i < SIDE * SIDE; i++) {
        const auto &color = i % SIDE < SIDE / 2 ? LEFT : RIGHT;
        out.insert(out.end(), color.begin(), color.end());
    }
    return out;
}

/* The same picture as a file. */
inline Buffer bmp()
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

inline bool is_png(Bytes bytes)
{
    return bytes.chars().substr(0, 4) == "\x89PNG";
}

/* The cut-out of the picture: the left half stays, the right one is gone. */
inline bool is_cut_out(const std::uint8_t *row, bool red_last)
{
    const std::uint8_t *const left = row, *const right = row + (SIDE - 1) * 4;
    return left[red_last ? 2 : 0] == LEFT[0] && left[1] == LEFT[1] && left[red_last ? 0 : 2] == LEFT[2]
        && left[3] == 255 && right[3] == 0;
}

inline Options tiny()
{
    const char *const model = std::getenv("REMREMBG_TEST_MODEL");
    if (model == nullptr) {
        throw std::runtime_error("REMREMBG_TEST_MODEL has to name the model");
    }
    return Options().set("model", model).set("model_recipe", "size=8").set("engine", "rten");
}

#endif
