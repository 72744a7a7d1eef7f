/* c++ -std=c++17 cutout.cpp -o cutout-cpp $(pkg-config --cflags --libs remrembg)
 * ./cutout-cpp photo.jpg on-white.png
 */
#include <remrembg.hpp>

#include <fstream>
#include <iostream>

int main(int argc, char **argv)
try {
    if (argc != 3) throw std::runtime_error("usage: cutout-cpp photo on-white.png");
    const std::string path = argv[2];
    remrembg::Options options;
    const auto suffix = std::filesystem::path(path).extension().string();
    options.set("format", suffix.empty() ? "webp" : suffix.substr(1)).set("bg_color", "white");
    options.progress([](remrembg_stage stage, float fraction) {
        std::cerr << remrembg_stage_name(stage) << ": " << static_cast<int>(fraction * 100) << " %\n";
    });
    const remrembg::Remover remover;
    const remrembg::Output output = remover.remove_file(argv[1], options);
    std::ofstream file(path, std::ios::binary);
    file << output.data().chars() << std::flush;
    if (!file) throw std::runtime_error(path + " cannot be written");
} catch (const std::exception &error) {
    std::cerr << error.what() << '\n';
    return 1;
}
