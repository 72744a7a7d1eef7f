/* soak COUNT [ENGINE]: removes COUNT pictures in every way there is, and fails
 * when that took memory or files which it does not give back.
 *
 * With the model that REMREMBG_TEST_MODEL names, or else with the bundled one on
 * the engine named. The first hundred removals may grow: they fill what a process
 * keeps for the next ones. */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <remrembg.h>
#include <unistd.h>

#include "check.h"
#include "tiny.h"

enum { WIDTH = 640, HEIGHT = 480, WARM = 100, ALLOWED = 1 << 20, FORMATS = 4 };

/* AddressSanitizer keeps what was freed, and finds leaks in its own way. */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define KEEPS_WHAT_WAS_FREED
#endif
#endif

static const char *const formats[FORMATS] = {"png", "webp", "jpeg", "bmp"};

/* What removals need, made once. */
struct workshop {
    remrembg_remover *remover;
    uint8_t source[WIDTH * HEIGHT * 3], room[WIDTH * HEIGHT * 4];
    uint8_t *files[FORMATS];
    size_t sizes[FORMATS];
    char path[512];
};

static long resident_bytes(void)
{
    long all = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file != NULL && fscanf(file, "%ld %ld", &all, &resident) == 2);
    fclose(file);
    return resident * sysconf(_SC_PAGESIZE);
}

static int open_files(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    CHECK(folder != NULL);
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

/* A disc on a gradient with some noise: a subject that every model finds, and
 * files of the size that photos have. */
static void paint(uint8_t *data)
{
    uint32_t noise = 1;
    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++, data += 3) {
            int dx = x - WIDTH / 2, dy = y - HEIGHT / 2, inside = dx * dx + dy * dy < 160 * 160;
            noise = noise * 1664525 + 1013904223;
            data[0] = (uint8_t)((inside ? 200 : x / 5) + (int)(noise >> 29));
            data[1] = (uint8_t)((inside ? 90 : y / 4) + (int)(noise >> 29));
            data[2] = inside ? 40 : 140;
        }
    }
}

static remrembg_remover *new_remover(const char *engine)
{
    remrembg_options *settings = getenv("REMREMBG_TEST_MODEL") == NULL ? remrembg_options_new() : tiny_settings();
    remrembg_remover *remover = NULL;
    remrembg_error *error = NULL;
    remrembg_options_set(settings, "engine", engine, NULL);
    if (remrembg_remover_new(settings, &remover, &error) != REMREMBG_OK) {
        fprintf(stderr, "%s\n", remrembg_error_message(error));
        exit(2);
    }
    remrembg_options_free(settings);
    return remover;
}

static remrembg_options *new_options(size_t turn)
{
    static const char *const more[5][2] = {
        {"mask", "true"}, {"bg_color", "teal"}, {"angle", "30"}, {"w", "320"}, {"format", "webp"}};
    remrembg_options *options = remrembg_options_new();
    remrembg_options_set(options, "format", formats[turn % FORMATS], NULL);
    remrembg_options_set(options, more[turn / 20 % 5][0], more[turn / 20 % 5][1], NULL);
    return options;
}

static remrembg_pixels source(const struct workshop *shop)
{
    remrembg_pixels pixels = {shop->source, sizeof shop->source, WIDTH, HEIGHT, 0, REMREMBG_LAYOUT_RGB8};
    return pixels;
}

static void encode(struct workshop *shop, size_t format)
{
    remrembg_pixels pixels = source(shop);
    remrembg_options *options = remrembg_options_new();
    remrembg_output *output = NULL;
    const uint8_t *data;
    remrembg_options_set(options, "format", formats[format], NULL);
    remrembg_options_set(options, "bg_color", "teal", NULL);
    CHECK(remrembg_remove_pixels(shop->remover, &pixels, options, NULL, &output, NULL) == REMREMBG_OK);
    data = remrembg_output_data(output, &shop->sizes[format]);
    shop->files[format] = malloc(shop->sizes[format]);
    memcpy(shop->files[format], data, shop->sizes[format]);
    remrembg_output_free(output);
    remrembg_options_free(options);
}

static void write_file(struct workshop *shop)
{
    const char *folder = getenv("TMPDIR");
    FILE *file;
    snprintf(shop->path, sizeof shop->path, "%s/remrembg-soak-%ld.png", folder == NULL ? "/tmp" : folder,
             (long)getpid());
    file = fopen(shop->path, "wb");
    CHECK(file != NULL && fwrite(shop->files[0], 1, shop->sizes[0], file) == shop->sizes[0] && fclose(file) == 0);
}

static void check_output(remrembg_output *output)
{
    size_t size = 0;
    CHECK(output != NULL && remrembg_output_data(output, &size) != NULL && size > 0);
    remrembg_output_free(output);
}

static void from_bytes(const struct workshop *shop, size_t turn, const remrembg_options *options)
{
    remrembg_output *output = NULL;
    size_t format = turn / 5 % FORMATS;
    CHECK(remrembg_remove_bytes(shop->remover, shop->files[format], shop->sizes[format], NULL, options, NULL, &output,
                                NULL) == REMREMBG_OK);
    check_output(output);
}

static void from_path(const struct workshop *shop, const remrembg_options *options)
{
    remrembg_output *output = NULL;
    CHECK(remrembg_remove_path(shop->remover, shop->path, options, NULL, &output, NULL) == REMREMBG_OK);
    check_output(output);
}

static void from_pixels(const struct workshop *shop, const remrembg_options *options)
{
    remrembg_pixels pixels = source(shop);
    remrembg_output *output = NULL;
    CHECK(remrembg_remove_pixels(shop->remover, &pixels, options, NULL, &output, NULL) == REMREMBG_OK);
    check_output(output);
}

/* To memory of the caller's, or of the output's. */
static void to_pixels(struct workshop *shop, size_t turn)
{
    remrembg_pixels pixels = source(shop);
    remrembg_target target = {shop->room, sizeof shop->room, WIDTH, HEIGHT, 0, REMREMBG_LAYOUT_BGRA8};
    remrembg_target none = {NULL, 0, 0, 0, 0, REMREMBG_LAYOUT_RGBA8};
    remrembg_output *output = NULL;
    if (turn % 2 == 0) {
        CHECK(remrembg_remove_pixels(shop->remover, &pixels, NULL, &target, NULL, NULL) == REMREMBG_OK);
    } else {
        CHECK(remrembg_remove_bytes(shop->remover, shop->files[0], shop->sizes[0], NULL, NULL, &none, &output, NULL) ==
              REMREMBG_OK);
        check_output(output);
    }
}

/* A hundred turns go through every way, format and option once: what memory
 * holds after each hundred is the same but for what does not come back. */
static void remove_one(struct workshop *shop, size_t turn)
{
    remrembg_options *options = new_options(turn);
    switch (turn % 5) {
    case 0: from_path(shop, options); break;
    case 1: from_pixels(shop, options); break;
    case 2: to_pixels(shop, turn / 5); break;
    default: from_bytes(shop, turn, options); break;
    }
    remrembg_options_free(options);
}

/* Half a file, wrong options and a path to nothing. */
static void be_refused(const struct workshop *shop, size_t turn)
{
    size_t format = turn % FORMATS;
    remrembg_options *options = remrembg_options_new();
    remrembg_output *output = NULL;
    remrembg_error *errors[3] = {NULL, NULL, NULL};
    CHECK(remrembg_remove_bytes(shop->remover, shop->files[format], shop->sizes[format] / 2, NULL, NULL, NULL, &output,
                                &errors[0]) == REMREMBG_CORRUPT_IMAGE);
    remrembg_options_set(options, "w", "wide", NULL);
    remrembg_options_set(options, "angle", "400", NULL);
    CHECK(remrembg_remove_path(shop->remover, shop->path, options, NULL, &output, &errors[1]) == REMREMBG_MULTIPLE);
    CHECK(remrembg_remove_path(shop->remover, "/nowhere.png", NULL, NULL, &output, &errors[2]) ==
          REMREMBG_CANNOT_READ);
    for (int i = 0; i < 3; i++) {
        CHECK(remrembg_error_json(errors[i]) != NULL);
        remrembg_error_free(errors[i]);
    }
    remrembg_options_free(options);
}

/* The stage at which a removal is cancelled, and by whom. */
struct stop {
    remrembg_options *options;
    int stage;
};

static void stop_there(void *user_data, remrembg_stage stage, float fraction)
{
    struct stop *stop = user_data;
    (void)fraction;
    if ((int)stage == stop->stage) {
        remrembg_options_cancel(stop->options);
    }
}

static void be_cancelled(const struct workshop *shop, size_t turn)
{
    static const int stages[] = {REMREMBG_STAGE_DECODE, REMREMBG_STAGE_SEGMENT, REMREMBG_STAGE_REFINE,
                                 REMREMBG_STAGE_CUT_OUT, REMREMBG_STAGE_ENCODE};
    struct stop stop = {remrembg_options_new(), stages[turn % 5]};
    remrembg_output *output = NULL;
    remrembg_error *error = NULL;
    remrembg_options_set_progress(stop.options, stop_there, &stop, NULL);
    CHECK(remrembg_remove_bytes(shop->remover, shop->files[0], shop->sizes[0], NULL, stop.options, NULL, &output,
                                &error) == REMREMBG_CANCELLED);
    remrembg_error_free(error);
    remrembg_options_free(stop.options);
}

static void soak(struct workshop *shop, long count)
{
    long warm = count < WARM ? count / 2 : WARM, before = 0, after;
    int files = 0;
    for (long i = 0; i < count; i++) {
        if (i == warm) {
            before = resident_bytes();
            files = open_files();
        }
        remove_one(shop, (size_t)i);
        be_refused(shop, (size_t)i);
        if (i % 10 == 9) {
            be_cancelled(shop, (size_t)i / 10);
        }
    }
    after = resident_bytes();
    printf("%ld removals: %ld kB after %ld, %ld kB at the end (%+ld kB); %d files, then %d\n", count, before >> 10, warm,
           after >> 10, (after - before) / 1024, files, open_files());
#ifndef KEEPS_WHAT_WAS_FREED
    CHECK(after - before <= ALLOWED);
#endif
    CHECK(open_files() == files);
}

int main(int count, char **arguments)
{
    static struct workshop shop;
    if (count < 2) {
        fprintf(stderr, "soak COUNT [ENGINE]\n");
        return 2;
    }
    shop.remover = new_remover(count > 2 ? arguments[2] : "rten");
    paint(shop.source);
    for (size_t i = 0; i < FORMATS; i++) {
        encode(&shop, i);
    }
    write_file(&shop);
    soak(&shop, strtol(arguments[1], NULL, 10));
    remove(shop.path);
    for (size_t i = 0; i < FORMATS; i++) {
        free(shop.files[i]);
    }
    remrembg_remover_free(shop.remover);
    return checked();
}
