/* cc cutout.c -o cutout $(pkg-config --cflags --libs remrembg)
 * ./cutout photo.jpg cutout.png
 */
#include <remrembg.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc != 3) return fprintf(stderr, "usage: cutout photo cutout.png\n"), 2;
    remrembg_options *options = remrembg_options_new();
    remrembg_remover *remover = NULL;
    remrembg_output *output = NULL;
    remrembg_error *error = NULL;
    const char *dot = strrchr(argv[2], '.');
    int failed = remrembg_options_set(options, "format", dot && !strchr(dot, '/') ? dot + 1 : "webp", &error)
        || remrembg_remover_new(NULL, &remover, &error)
        || remrembg_remove_path(remover, argv[1], options, NULL, &output, &error);
    if (failed) {
        fprintf(stderr, "%s\n", remrembg_error_message(error));
    } else {
        size_t size;
        const uint8_t *data = remrembg_output_data(output, &size);
        FILE *file = fopen(argv[2], "wb");
        failed = !file || fwrite(data, 1, size, file) != size || fclose(file) != 0;
        if (failed) perror(argv[2]);
    }
    remrembg_error_free(error);
    remrembg_output_free(output);
    remrembg_remover_free(remover);
    remrembg_options_free(options);
    return failed;
}
