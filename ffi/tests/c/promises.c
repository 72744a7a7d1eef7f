/* What the header promises, with a picture whose red channel is the subject. */
#include <remrembg.h>
#include <stdlib.h>

#include "check.h"
#include "painted.h"

/* A picture as a file in memory, made by the library itself: on an opaque
 * background, so that JPEG and BMP hold it as well. The caller frees it. */
static uint8_t *encoded(const remrembg_remover *remover, const char *format, size_t *size)
{
    uint8_t data[WIDTH * HEIGHT * 3];
    remrembg_pixels pixels = {data, sizeof data, WIDTH, HEIGHT, 0, REMREMBG_LAYOUT_RGB8};
    remrembg_options *options = new_options("format", format);
    remrembg_output *output = NULL;
    const uint8_t *file;
    uint8_t *copy;
    remrembg_options_set(options, "bg_color", "blue", NULL);
    paint(data, WIDTH * 3, REMREMBG_LAYOUT_RGB8);
    CHECK(remrembg_remove_pixels(remover, &pixels, options, NULL, &output, NULL) == REMREMBG_OK);
    file = remrembg_output_data(output, size);
    copy = malloc(*size + 1);
    memcpy(copy, file, *size);
    remrembg_output_free(output);
    remrembg_options_free(options);
    return copy;
}

static void versions_agree(void)
{
    char text[32];
    CHECK_TEXT(remrembg_version(), REMREMBG_VERSION);
    snprintf(text, sizeof text, "%d.%d.%d", REMREMBG_VERSION_MAJOR, REMREMBG_VERSION_MINOR, REMREMBG_VERSION_PATCH);
    CHECK_TEXT(text, REMREMBG_VERSION);
}

static void stages_have_names(void)
{
    CHECK_TEXT(remrembg_stage_name(REMREMBG_STAGE_DECODE), "decode");
    CHECK_TEXT(remrembg_stage_name(REMREMBG_STAGE_CUT_OUT), "cut_out");
    CHECK_TEXT(remrembg_stage_name(REMREMBG_STAGE_ENCODE), "encode");
    CHECK(remrembg_stage_name(-1) == NULL && remrembg_stage_name(9) == NULL);
}

static void the_engine_is_told(const remrembg_remover *remover)
{
    const remrembg_engine *engine = remrembg_remover_engine(remover);
    CHECK_TEXT(engine->name, "rten");
    CHECK_TEXT(engine->provider, "CPU");
    CHECK_TEXT(engine->model, getenv("REMREMBG_TEST_MODEL"));
    CHECK(engine->version[0] != '\0' && engine->threads >= 1);
    CHECK(engine->library == NULL && engine->fallback == NULL);
}

static void bytes_become_bytes(const remrembg_remover *remover)
{
    static const char *const formats[][2] = {
        {"webp", "image/webp"}, {"png", "image/png"}, {"jpeg", "image/jpeg"}, {"bmp", "image/bmp"}};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        size_t size = 0, made = 0;
        uint32_t width = 0, height = 0;
        uint8_t *file = encoded(remover, formats[i][0], &size);
        remrembg_options *options = new_options("format", formats[i][0]);
        remrembg_output *output = NULL;
        remrembg_error *error = NULL;
        CHECK(remrembg_remove_bytes(remover, file, size, "photo.png", options, NULL, &output, &error) == REMREMBG_OK);
        CHECK(error == NULL);
        CHECK(remrembg_output_data(output, &made) != NULL && made > 16);
        CHECK_TEXT(remrembg_output_mime(output), formats[i][1]);
        remrembg_output_size(output, &width, &height);
        CHECK(width == WIDTH && height == HEIGHT);
        CHECK(remrembg_output_time(output, REMREMBG_STAGE_SEGMENT) > 0);
        CHECK(remrembg_output_time(output, REMREMBG_STAGE_ENCODE) > 0);
        CHECK(remrembg_output_time(output, REMREMBG_STAGE_ROTATE) == 0);
        uint32_t box[4] = {9, 9, 9, 9};
        CHECK(remrembg_output_coverage(output) > 0 && remrembg_output_coverage(output) < 1);
        CHECK(remrembg_output_confidence(output) > 0.5 && remrembg_output_confidence(output) <= 1);
        CHECK(remrembg_output_bounds(output, box) && box[0] < box[2] && box[1] < box[3]);
        CHECK(remrembg_output_bounds(output, NULL));
        remrembg_output_free(output);
        remrembg_options_free(options);
        free(file);
    }
}

static void a_path_is_read(const remrembg_remover *remover)
{
    char path[512];
    const char *folder = getenv("TMPDIR");
    size_t size = 0;
    uint8_t *file = encoded(remover, "png", &size);
    remrembg_output *output = NULL;
    remrembg_error *error = NULL;
    FILE *stream;
    snprintf(path, sizeof path, "%s/remrembg-promises-%p.PNG", folder == NULL ? "/tmp" : folder, (void *)file);
    stream = fopen(path, "wb");
    CHECK(stream != NULL && fwrite(file, 1, size, stream) == size && fclose(stream) == 0);
    CHECK(remrembg_remove_path(remover, path, NULL, NULL, &output, &error) == REMREMBG_OK);
    CHECK_TEXT(remrembg_output_mime(output), "image/webp");
    remrembg_output_free(output);
    remove(path);
    CHECK(remrembg_remove_path(remover, path, NULL, NULL, &output, &error) == REMREMBG_CANNOT_READ);
    CHECK(remrembg_error_kind(error) == REMREMBG_KIND_IO && remrembg_error_status(error) == 500);
    CHECK(strstr(remrembg_error_message(error), path) != NULL);
    remrembg_error_free(error);
    free(file);
}

/* Every layout in and out, with gaps between the rows that stay as they are. */
static void pixels_become_pixels(const remrembg_remover *remover)
{
    enum { STRIDE = WIDTH * 4 + 5 };
    static const int sources[] = {REMREMBG_LAYOUT_RGB8, REMREMBG_LAYOUT_RGBA8, REMREMBG_LAYOUT_BGR8,
                                  REMREMBG_LAYOUT_BGRA8};
    static const int targets[] = {REMREMBG_LAYOUT_RGBA8, REMREMBG_LAYOUT_BGRA8};
    for (int i = 0; i < 8; i++) {
        uint8_t from[STRIDE * HEIGHT], to[STRIDE * HEIGHT];
        remrembg_pixels pixels = {from, sizeof from, WIDTH, HEIGHT, STRIDE, sources[i / 2]};
        remrembg_target target = {to, sizeof to, WIDTH, HEIGHT, STRIDE, targets[i % 2]};
        int red = targets[i % 2] == REMREMBG_LAYOUT_BGRA8 ? 2 : 0;
        const uint8_t *left = to + 3 * STRIDE, *right = left + (WIDTH - 1) * 4;
        memset(from, 7, sizeof from);
        memset(to, 9, sizeof to);
        paint(from, STRIDE, sources[i / 2]);
        CHECK(remrembg_remove_pixels(remover, &pixels, NULL, &target, NULL, NULL) == REMREMBG_OK);
        CHECK(IS_RED(left[red]) && left[1] == 0 && left[2 - red] == 0 && left[3] >= SUBJECT);
        CHECK(right[0] == 0 && right[1] == 0 && right[2] == 0 && right[3] == 0);
        CHECK(to[WIDTH * 4] == 9 && to[STRIDE * 2 - 1] == 9 && to[sizeof to - 1] == 9);
    }
}

static void the_source_may_be_the_target(const remrembg_remover *remover)
{
    uint8_t data[WIDTH * HEIGHT * 4];
    remrembg_pixels pixels = {data, sizeof data, WIDTH, HEIGHT, 0, REMREMBG_LAYOUT_RGBA8};
    remrembg_target target = {data, sizeof data, WIDTH, HEIGHT, 0, REMREMBG_LAYOUT_RGBA8};
    remrembg_output *output = NULL;
    uint32_t width = 0, height = 0;
    size_t size = 1;
    paint(data, WIDTH * 4, REMREMBG_LAYOUT_RGBA8);
    CHECK(remrembg_remove_pixels(remover, &pixels, NULL, &target, &output, NULL) == REMREMBG_OK);
    CHECK(IS_RED(data[0]) && data[3] >= SUBJECT && data[WIDTH * 4 - 1] == 0);
    remrembg_output_size(output, &width, &height);
    CHECK(width == WIDTH && height == HEIGHT);
    CHECK(remrembg_output_data(output, &size) == NULL && size == 0 && remrembg_output_mime(output) == NULL);
    CHECK(remrembg_output_time(output, REMREMBG_STAGE_ENCODE) == 0);
    remrembg_output_free(output);
}

/* White behind what has no alpha, the mask alone, and rows that the output keeps. */
static void targets_without_alpha_get_white_or_the_mask(const remrembg_remover *remover)
{
    uint8_t data[WIDTH * HEIGHT * 3], rgb[WIDTH * HEIGHT * 3], grey[WIDTH * HEIGHT];
    const uint8_t *kept;
    remrembg_pixels pixels = {data, sizeof data, WIDTH, HEIGHT, 0, REMREMBG_LAYOUT_RGB8};
    remrembg_target white = {rgb, sizeof rgb, WIDTH, HEIGHT, 0, REMREMBG_LAYOUT_RGB8};
    remrembg_target mask = {grey, sizeof grey, WIDTH, HEIGHT, 0, REMREMBG_LAYOUT_GRAY8};
    remrembg_target rows = {NULL, 0, 0, 0, 0, REMREMBG_LAYOUT_BGRA8};
    remrembg_options *options = new_options("mask", "true");
    remrembg_output *output = NULL;
    size_t size = 0;
    paint(data, WIDTH * 3, REMREMBG_LAYOUT_RGB8);
    CHECK(remrembg_remove_pixels(remover, &pixels, NULL, &white, NULL, NULL) == REMREMBG_OK);
    CHECK(rgb[0] >= 240 && rgb[1] <= 255 - SUBJECT && rgb[WIDTH * 3 - 1] == 255 && rgb[WIDTH * 3 - 2] == 255);
    CHECK(remrembg_remove_pixels(remover, &pixels, options, &mask, NULL, NULL) == REMREMBG_OK);
    CHECK(grey[0] >= SUBJECT && grey[WIDTH - 1] == 0);
    CHECK(remrembg_remove_pixels(remover, &pixels, NULL, &mask, NULL, NULL) == REMREMBG_BAD_PIXELS);
    CHECK(remrembg_remove_pixels(remover, &pixels, NULL, &rows, &output, NULL) == REMREMBG_OK);
    kept = remrembg_output_data(output, &size);
    CHECK(size == WIDTH * HEIGHT * 4 && IS_RED(kept[2]) && kept[3] >= SUBJECT && kept[WIDTH * 4 - 1] == 0);
    CHECK(remrembg_output_mime(output) == NULL);
    remrembg_output_free(output);
    remrembg_options_free(options);
}

static void a_target_of_another_size_is_refused_and_untouched(const remrembg_remover *remover)
{
    uint8_t data[WIDTH * HEIGHT * 3], room[WIDTH * HEIGHT * 4];
    remrembg_pixels pixels = {data, sizeof data, WIDTH, HEIGHT, 0, REMREMBG_LAYOUT_RGB8};
    remrembg_target target = {room, sizeof room, HEIGHT, WIDTH, 0, REMREMBG_LAYOUT_RGBA8};
    remrembg_options *options = new_options("angle", "90");
    remrembg_error *error = NULL;
    uint32_t width = 0, height = 0;
    paint(data, WIDTH * 3, REMREMBG_LAYOUT_RGB8);
    memset(room, 9, sizeof room);
    CHECK(remrembg_remove_pixels(remover, &pixels, NULL, &target, NULL, &error) == REMREMBG_BAD_PIXELS);
    CHECK_TEXT(remrembg_error_message(error), "The result has 16\xc3\x97" "8 pixels, but the buffer has 8\xc3\x97" "16");
    CHECK(room[0] == 9 && room[sizeof room - 1] == 9);
    remrembg_error_free(error);
    CHECK(remrembg_options_size(options, WIDTH, HEIGHT, &width, &height, NULL) == REMREMBG_OK);
    CHECK(width == HEIGHT && height == WIDTH);
    CHECK(remrembg_remove_pixels(remover, &pixels, options, &target, NULL, NULL) == REMREMBG_OK);
    CHECK(room[3] == 0 && room[sizeof room - 1] >= SUBJECT);
    remrembg_options_free(options);
}

static void why_a_picture_is_refused_is_told(const remrembg_remover *remover)
{
    static const uint8_t gif[] = {'G', 'I', 'F', '8', '9', 'a'};
    remrembg_output *output = NULL;
    remrembg_error *error = NULL;
    CHECK(remrembg_remove_bytes(remover, gif, sizeof gif, NULL, NULL, NULL, &output, &error) ==
          REMREMBG_CORRUPT_IMAGE);
    CHECK_TEXT(remrembg_error_message(error), "File does not appear to be a valid image (invalid file signature)");
    CHECK_TEXT(remrembg_error_reason(error), "this is a GIF picture");
    remrembg_error_free(error);
    CHECK(remrembg_remove_bytes(remover, NULL, 0, NULL, NULL, NULL, &output, &error) == REMREMBG_NO_IMAGE);
    CHECK(remrembg_error_reason(error) == NULL);
    remrembg_error_free(error);
}

static void all_problems_are_told_at_once(const remrembg_remover *remover)
{
    remrembg_options *options = new_options("w", "abc");
    remrembg_output *output = NULL;
    remrembg_error *error = NULL;
    remrembg_options_set(options, "angle", "400", NULL);
    remrembg_options_set(options, "angle", "500", NULL);
    CHECK(remrembg_remove_bytes(remover, NULL, 0, NULL, options, NULL, &output, &error) == REMREMBG_MULTIPLE);
    CHECK_TEXT(remrembg_error_json(error),
               "{\"error\":\"Multiple validation errors\",\"details\":["
               "{\"field\":\"image\",\"message\":\"No image file provided. Please include an 'image' field in your "
               "form data.\"},{\"field\":\"w\",\"message\":\"'w' must be an integer, got: 'abc'\"},"
               "{\"field\":\"angle\",\"message\":\"'angle' must be between -360 and 360 degrees, got: 500.0\"}],"
               "\"status\":400}");
    CHECK_TEXT(remrembg_error_message(error), "Multiple validation errors");
    CHECK(remrembg_error_kind(error) == REMREMBG_KIND_VALIDATION);
    CHECK(output == NULL);
    remrembg_error_free(error);
    remrembg_options_set(options, "w", "", NULL);
    remrembg_options_set(options, "angle", "0", NULL);
    CHECK(remrembg_options_size(options, 1, 1, NULL, NULL, &error) == REMREMBG_OK && error == NULL);
    remrembg_options_free(options);
}

static void settings_are_checked(void)
{
    remrembg_options *settings = new_options("threads", "many");
    remrembg_remover *remover = NULL;
    remrembg_error *error = NULL;
    remrembg_options_set(settings, "w", "5", NULL);
    CHECK(remrembg_remover_new(settings, &remover, &error) == REMREMBG_MULTIPLE);
    CHECK(strstr(remrembg_error_json(error), "'threads' must be an integer, got: 'many'") != NULL);
    CHECK(strstr(remrembg_error_json(error), "Unknown setting 'w'") != NULL);
    remrembg_error_free(error);
    remrembg_options_free(settings);

    settings = new_options("onnxruntime", "/nowhere/libonnxruntime.so");
    CHECK(remrembg_remover_new(settings, &remover, &error) == REMREMBG_ENGINE_UNAVAILABLE);
    CHECK(remrembg_error_kind(error) == REMREMBG_KIND_ENGINE);
    CHECK(strstr(remrembg_error_message(error), "/nowhere/libonnxruntime.so") != NULL);
    remrembg_error_free(error);
    remrembg_options_free(settings);

    settings = new_options("model", "/nowhere/model.onnx");
    CHECK(remrembg_remover_new(settings, &remover, &error) == REMREMBG_CANNOT_READ);
    remrembg_error_free(error);
    remrembg_options_free(settings);
    CHECK(remover == NULL);
}

struct heard {
    int begun[9], done[9], last, disorder;
};

static void hear(void *user_data, remrembg_stage stage, float fraction)
{
    struct heard *heard = user_data;
    heard->disorder |= (int)stage < heard->last || fraction < 0 || fraction > 1;
    heard->last = (int)stage;
    heard->begun[stage] += fraction == 0;
    heard->done[stage] += fraction == 1;
}

static void progress_is_told_stage_by_stage(const remrembg_remover *remover)
{
    struct heard heard;
    uint8_t data[WIDTH * HEIGHT * 3];
    remrembg_pixels pixels = {data, sizeof data, WIDTH, HEIGHT, 0, REMREMBG_LAYOUT_RGB8};
    remrembg_options *options = new_options("w", "8");
    remrembg_output *output = NULL;
    memset(&heard, 0, sizeof heard);
    paint(data, WIDTH * 3, REMREMBG_LAYOUT_RGB8);
    CHECK(remrembg_options_set_progress(options, hear, &heard, NULL) == REMREMBG_OK);
    CHECK(remrembg_remove_pixels(remover, &pixels, options, NULL, &output, NULL) == REMREMBG_OK);
    for (int stage = 0; stage < 9; stage++) {
        int ran = stage != REMREMBG_STAGE_UPRIGHT && stage != REMREMBG_STAGE_ROTATE &&
                  stage != REMREMBG_STAGE_BACKGROUND;
        CHECK((heard.begun[stage] > 0) == ran && (heard.done[stage] > 0) == ran);
        CHECK((remrembg_output_time(output, stage) > 0) == ran);
    }
    CHECK(!heard.disorder);
    remrembg_output_free(output);
    memset(&heard, 0, sizeof heard);
    CHECK(remrembg_options_set_progress(options, NULL, NULL, NULL) == REMREMBG_OK);
    CHECK(remrembg_remove_pixels(remover, &pixels, options, NULL, &output, NULL) == REMREMBG_OK);
    CHECK(heard.begun[REMREMBG_STAGE_DECODE] == 0);
    remrembg_output_free(output);
    remrembg_options_free(options);
}

static void what_was_made_outlives_what_made_it(void)
{
    remrembg_remover *remover = new_remover();
    remrembg_options *options = new_options("w", "abc");
    uint8_t data[WIDTH * HEIGHT * 3];
    remrembg_pixels pixels = {data, sizeof data, WIDTH, HEIGHT, 0, REMREMBG_LAYOUT_RGB8};
    remrembg_output *output = NULL;
    remrembg_error *error = NULL;
    size_t size = 0;
    paint(data, WIDTH * 3, REMREMBG_LAYOUT_RGB8);
    CHECK(remrembg_remove_pixels(remover, &pixels, options, NULL, &output, &error) == REMREMBG_NOT_AN_INTEGER);
    CHECK(remrembg_remove_pixels(remover, &pixels, NULL, NULL, &output, NULL) == REMREMBG_OK);
    remrembg_remover_free(remover);
    remrembg_options_free(options);
    CHECK_TEXT(remrembg_error_name(error), "not_an_integer");
    CHECK(remrembg_output_data(output, &size) != NULL && size > 0);
    remrembg_error_free(error);
    remrembg_output_free(output);
}

static remrembg_remover *of_exit;

/* A removal at any time: this thread has removed before, and what belongs to it is being taken down. */
static void remove_at_exit(void)
{
    failures = 0;
    bytes_become_bytes(of_exit);
    remrembg_remover_free(of_exit);
    if (failures != 0) {
        _Exit(1);
    }
}

int main(void)
{
    remrembg_remover *remover = new_remover();
    of_exit = new_remover();
    CHECK(atexit(remove_at_exit) == 0);
    versions_agree();
    stages_have_names();
    the_engine_is_told(remover);
    bytes_become_bytes(remover);
    a_path_is_read(remover);
    pixels_become_pixels(remover);
    the_source_may_be_the_target(remover);
    targets_without_alpha_get_white_or_the_mask(remover);
    a_target_of_another_size_is_refused_and_untouched(remover);
    why_a_picture_is_refused_is_told(remover);
    all_problems_are_told_at_once(remover);
    settings_are_checked();
    progress_is_told_stage_by_stage(remover);
    what_was_made_outlives_what_made_it();
    remrembg_remover_free(remover);
    return checked();
}
