/* c++ -std=c++17 cutout.cpp -o cutout $(pkg-config --cflags --libs remrembg)
 * ./cutout photo.jpg cutout.png
 */
#include <remrembg.hpp>

#include <fstream>
#include <iostream>

int main(int argc, char **argv)
try {
    if (argc != 3) throw std::runtime_error("usage: cutout photo cutout.png");
    const std::string path = argv[2];
    remrembg::Options options;
    options.set("format", path.substr(path.rfind('.') + 1)).set("bg_color", "white");
    options.progress([](remrembg_stage stage, float fraction) {
        std::cerr << "stage " << stage << ": " << static_cast<int>(fraction * 100) << " %\n";
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
