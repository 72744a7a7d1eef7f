/* Arguments that no program should pass: every function returns, tells, and
 * leaves alone what it should. */
#include <remrembg.h>
#include <stdlib.h>

#include "check.h"
#include "tiny.h"

/* An address that is no handle's, and one that no pointer can have. */
static char somewhere[64];
#define FOREIGN(type) ((type *)(void *)(somewhere + 16))
#define MISALIGNED(type) ((type *)(void *)(somewhere + 1))

static remrembg_remover *remover;
static uint8_t data[4 * 4 * 4];

static remrembg_pixels picture(void)
{
    remrembg_pixels pixels = {data, sizeof data, 4, 4, 16, REMREMBG_LAYOUT_RGBA8};
    return pixels;
}

/* A misuse tells itself by number and by error, and makes nothing. */
static void is_misuse(int line, remrembg_code code, remrembg_error *error, const void *output)
{
    if (code != REMREMBG_MISUSE || error == NULL || output != NULL) {
        failures++;
        fprintf(stderr, "line %d: code %d, error %s\n", line, (int)code, remrembg_error_json(error));
    } else {
        CHECK_TEXT(remrembg_error_name(error), "misuse");
        CHECK(remrembg_error_kind(error) == REMREMBG_KIND_MISUSE && remrembg_error_status(error) == 500);
        CHECK(strlen(remrembg_error_message(error)) > 10);
    }
    remrembg_error_free(error);
}

#define MISUSE(call)                                           \
    do {                                                       \
        remrembg_error *error = NULL;                          \
        remrembg_output *output = NULL;                        \
        remrembg_code code = call;                             \
        is_misuse(__LINE__, code, error, output);              \
    } while (0)

static void null_is_told_everywhere(void)
{
    remrembg_pixels pixels = picture();
    remrembg_options *options = remrembg_options_new();
    remrembg_error *gone = FOREIGN(remrembg_error);
    uint32_t width = 7, height = 7;
    size_t size = 7;

    CHECK(remrembg_error_kind(NULL) == REMREMBG_KIND_MISUSE && remrembg_error_status(NULL) == 0);
    CHECK(remrembg_error_name(NULL) == NULL && remrembg_error_message(NULL) == NULL);
    CHECK(remrembg_error_json(NULL) == NULL);
    CHECK(remrembg_remover_engine(NULL) == NULL && remrembg_output_mime(NULL) == NULL);
    CHECK(remrembg_output_data(NULL, &size) == NULL && size == 0);
    CHECK(remrembg_output_data(NULL, NULL) == NULL);
    CHECK(remrembg_output_time(NULL, REMREMBG_STAGE_DECODE) == 0);
    CHECK(remrembg_output_coverage(NULL) == 0 && remrembg_output_confidence(NULL) == 0);
    CHECK(!remrembg_output_bounds(NULL, NULL));
    remrembg_output_size(NULL, &width, &height);
    CHECK(width == 0 && height == 0);
    remrembg_output_size(NULL, NULL, NULL);
    remrembg_options_cancel(NULL);
    remrembg_error_free(NULL);
    remrembg_output_free(NULL);
    remrembg_options_free(NULL);
    remrembg_remover_free(NULL);

    MISUSE(remrembg_options_set(NULL, "w", "1", &error));
    MISUSE(remrembg_options_set(options, NULL, "1", &error));
    MISUSE(remrembg_options_set(options, "w", NULL, &error));
    MISUSE(remrembg_options_set_progress(NULL, NULL, NULL, &error));
    CHECK(remrembg_options_size(options, 0, 1, &width, &height, NULL) == REMREMBG_BAD_PIXELS);
    CHECK(remrembg_options_size(options, 1, UINT32_MAX, &width, &height, NULL) == REMREMBG_IMAGE_TOO_TALL);
    MISUSE(remrembg_remover_new(options, NULL, &error));
    MISUSE(remrembg_remove_bytes(NULL, data, sizeof data, NULL, NULL, NULL, &output, &error));
    MISUSE(remrembg_remove_path(NULL, "a.png", NULL, NULL, &output, &error));
    MISUSE(remrembg_remove_pixels(NULL, &pixels, NULL, NULL, &output, &error));
    MISUSE(remrembg_remove_pixels(remover, &pixels, NULL, NULL, NULL, &error));

    CHECK(remrembg_remove_bytes(NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL) == REMREMBG_MISUSE);
    CHECK(remrembg_remove_path(NULL, NULL, NULL, NULL, NULL, NULL) == REMREMBG_MISUSE);
    CHECK(remrembg_remove_pixels(NULL, NULL, NULL, NULL, NULL, NULL) == REMREMBG_MISUSE);
    CHECK(remrembg_remover_new(NULL, NULL, NULL) == REMREMBG_MISUSE);
    CHECK(remrembg_options_set(NULL, NULL, NULL, NULL) == REMREMBG_MISUSE);
    CHECK(remrembg_options_size(NULL, 5, 4, NULL, NULL, &gone) == REMREMBG_OK && gone == NULL);
    remrembg_options_free(options);
}

/* No picture at all is the hosted API's error, not a misuse. */
static void no_picture_is_a_refusal(void)
{
    remrembg_output *output = NULL;
    CHECK(remrembg_remove_bytes(remover, NULL, 0, NULL, NULL, NULL, &output, NULL) == REMREMBG_NO_IMAGE);
    CHECK(remrembg_remove_path(remover, NULL, NULL, NULL, &output, NULL) == REMREMBG_NO_IMAGE);
    CHECK(remrembg_remove_pixels(remover, NULL, NULL, NULL, &output, NULL) == REMREMBG_NO_IMAGE);
    CHECK(remrembg_remove_bytes(remover, data, 0, NULL, NULL, NULL, &output, NULL) == REMREMBG_EMPTY_FILE);
    CHECK(remrembg_remove_bytes(remover, data, 0, "", NULL, NULL, &output, NULL) == REMREMBG_NO_FILE_SELECTED);
    CHECK(remrembg_remove_path(remover, "", NULL, NULL, &output, NULL) == REMREMBG_NO_FILE_SELECTED);
    CHECK(remrembg_remove_path(remover, "\xff\xfe.png", NULL, NULL, &output, NULL) == REMREMBG_CANNOT_READ);
    CHECK(output == NULL);
}

/* A client's text that is not UTF-8 is the client's fault. */
static void text_that_is_not_utf8_is_refused_as_other_text_is(void)
{
    remrembg_options *options = remrembg_options_new();
    remrembg_output *output = NULL;
    remrembg_error *error = NULL;
    remrembg_code code = remrembg_remove_bytes(remover, data, 4, "a.\xff", NULL, NULL, &output, &error);
    CHECK(code == REMREMBG_FILE_TYPE && remrembg_error_status(error) == 400);
    remrembg_error_free(error);
    CHECK(remrembg_options_set(options, "w", "1\xc3", NULL) == REMREMBG_OK);
    CHECK(remrembg_options_size(options, 5, 5, NULL, NULL, &error) == REMREMBG_NOT_AN_INTEGER);
    CHECK_TEXT(remrembg_error_message(error), "'w' must be an integer, got: '1\xef\xbf\xbd'");
    remrembg_error_free(error);
    remrembg_options_free(options);
}

static void sizes_that_cannot_be_are_told(void)
{
    remrembg_pixels pixels = picture();
    remrembg_target target = {data, sizeof data, 4, 4, 16, REMREMBG_LAYOUT_RGBA8};
    MISUSE(remrembg_remove_bytes(remover, NULL, 1, NULL, NULL, NULL, &output, &error));
    MISUSE(remrembg_remove_bytes(remover, data, SIZE_MAX, NULL, NULL, NULL, &output, &error));
    MISUSE(remrembg_remove_bytes(remover, data, SIZE_MAX / 2 + 1, NULL, NULL, NULL, &output, &error));
    pixels.layout = 99;
    MISUSE(remrembg_remove_pixels(remover, &pixels, NULL, NULL, &output, &error));
    pixels = picture();
    pixels.data = NULL;
    MISUSE(remrembg_remove_pixels(remover, &pixels, NULL, NULL, &output, &error));
    pixels.size = 0;
    CHECK(remrembg_remove_pixels(remover, &pixels, NULL, &target, NULL, NULL) == REMREMBG_BAD_PIXELS);
    pixels = picture();
    pixels.stride = SIZE_MAX;
    CHECK(remrembg_remove_pixels(remover, &pixels, NULL, &target, NULL, NULL) == REMREMBG_BAD_PIXELS);
    pixels = picture();
    pixels.width = UINT32_MAX;
    pixels.height = UINT32_MAX;
    CHECK(remrembg_remove_pixels(remover, &pixels, NULL, &target, NULL, NULL) == REMREMBG_BAD_PIXELS);
    pixels = picture();
    target.size = 1;
    CHECK(remrembg_remove_pixels(remover, &pixels, NULL, &target, NULL, NULL) == REMREMBG_BAD_PIXELS);
    target.size = SIZE_MAX;
    MISUSE(remrembg_remove_pixels(remover, &pixels, NULL, &target, &output, &error));
    target.size = sizeof data;
    target.layout = 0;
    MISUSE(remrembg_remove_pixels(remover, &pixels, NULL, &target, &output, &error));
    target.layout = REMREMBG_LAYOUT_RGBA8;
    target.data = NULL;
    MISUSE(remrembg_remove_pixels(remover, &pixels, NULL, &target, &output, &error));
    target.size = 0;
    MISUSE(remrembg_remove_pixels(remover, &pixels, NULL, &target, &output, &error));
}

static void masks_and_mattes_that_cannot_be_are_told(void)
{
    remrembg_options *options = remrembg_options_new();
    remrembg_pixels pixels = picture();
    remrembg_target matte = {data, sizeof data, 4, 4, 16, REMREMBG_LAYOUT_MATTE};
    remrembg_error *error = NULL;
    remrembg_output *output = NULL;
    MISUSE(remrembg_options_set_mask(NULL, &pixels, &error));
    MISUSE(remrembg_options_set_mask(options, MISALIGNED(remrembg_pixels), &error));
    MISUSE(remrembg_options_set_mask_bytes(options, NULL, 1, &error));
    MISUSE(remrembg_options_set_mask_bytes(options, data, SIZE_MAX, &error));
    pixels.layout = REMREMBG_LAYOUT_MATTE;
    MISUSE(remrembg_options_set_mask(options, &pixels, &error));
    pixels = picture();
    MISUSE(remrembg_remove_pixels(remover, &pixels, options, &matte, &output, &error));
    pixels.width = 0;
    CHECK(remrembg_options_set_mask(options, &pixels, NULL) == REMREMBG_BAD_PIXELS);
    CHECK(remrembg_options_set_mask_bytes(options, data, 0, NULL) == REMREMBG_OK);
    pixels = picture();
    CHECK(remrembg_remove_pixels(remover, &pixels, options, NULL, &output, &error) == REMREMBG_EMPTY_FILE);
    CHECK(strstr(remrembg_error_message(error), "0 bytes") != NULL);
    remrembg_error_free(error);
    remrembg_options_free(options);
}

static void misaligned_pointers_are_told(void)
{
    remrembg_pixels pixels = picture();
    MISUSE(remrembg_remove_pixels(remover, MISALIGNED(remrembg_pixels), NULL, NULL, &output, &error));
    MISUSE(remrembg_remove_pixels(remover, &pixels, NULL, MISALIGNED(remrembg_target), &output, &error));
    MISUSE(remrembg_remove_pixels(remover, &pixels, NULL, NULL, MISALIGNED(remrembg_output *), &error));
    MISUSE(remrembg_remover_new(NULL, MISALIGNED(remrembg_remover *), &error));
    MISUSE(remrembg_options_size(NULL, 1, 1, MISALIGNED(uint32_t), NULL, &error));
    CHECK(remrembg_remover_new(NULL, NULL, MISALIGNED(remrembg_error *)) == REMREMBG_MISUSE);
    MISUSE(remrembg_remove_pixels(MISALIGNED(remrembg_remover), &pixels, NULL, NULL, &output, &error));
    CHECK(remrembg_output_data(NULL, MISALIGNED(size_t)) == NULL);
    remrembg_output_size(NULL, MISALIGNED(uint32_t), NULL);
}

/* Handles that are none, that are of another type, and that were freed. */
static void stale_handles_are_told(void)
{
    remrembg_pixels pixels = picture();
    remrembg_options *options = remrembg_options_new();
    remrembg_output *made = NULL;
    remrembg_error *first = NULL;
    MISUSE(remrembg_remove_pixels(FOREIGN(remrembg_remover), &pixels, NULL, NULL, &output, &error));
    MISUSE(remrembg_remove_pixels((remrembg_remover *)options, &pixels, NULL, NULL, &output, &error));
    MISUSE(remrembg_remove_pixels(remover, &pixels, (remrembg_options *)remover, NULL, &output, &error));
    remrembg_remover_free((remrembg_remover *)options);
    remrembg_error_free((remrembg_error *)options);
    remrembg_output_free(FOREIGN(remrembg_output));
    CHECK(remrembg_options_set(options, "w", "2", NULL) == REMREMBG_OK);
    remrembg_options_free(options);
    remrembg_options_free(options);
    remrembg_options_cancel(options);
    MISUSE(remrembg_remove_pixels(remover, &pixels, options, NULL, &output, &error));
    MISUSE(remrembg_options_set(options, "w", "2", &error));

    CHECK(remrembg_remove_pixels(remover, &pixels, NULL, NULL, &made, NULL) == REMREMBG_OK);
    remrembg_output_free(made);
    remrembg_output_free(made);
    CHECK(remrembg_output_data(made, NULL) == NULL && remrembg_output_mime(made) == NULL);
    CHECK(remrembg_remove_path(remover, NULL, NULL, NULL, &made, &first) == REMREMBG_NO_IMAGE);
    remrembg_error_free(first);
    remrembg_error_free(first);
    CHECK(remrembg_error_message(first) == NULL && remrembg_error_status(first) == 0);
    CHECK(remrembg_error_reason(first) == NULL && remrembg_error_reason(NULL) == NULL);
}

/* A handle that was freed is told, however many others are made after it, also those of its own type and size. */
static void a_freed_handle_is_never_another(void)
{
    remrembg_options *freed = remrembg_options_new();
    remrembg_options_free(freed);
    for (int i = 0; i < 1000; i++) {
        remrembg_options *other = remrembg_options_new();
        CHECK(other != NULL && other != freed);
        remrembg_options_free(freed);
        MISUSE(remrembg_options_set(freed, "w", "2", &error));
        CHECK(remrembg_options_set(other, "w", "2", NULL) == REMREMBG_OK);
        remrembg_options_free(other);
    }
}

/* Everything that is no file, in every way in. */
static void broken_files_are_refused(void)
{
    static const char *const starts[] = {"\x89PNG\r\n\x1a\n", "\xff\xd8\xff\xe0", "RIFF\xff\xff\xff\xffWEBPVP8 ", "BM"};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        uint8_t file[256];
        memset(file, 0xff, sizeof file);
        memcpy(file, starts[i], strlen(starts[i]));
        for (size_t size = 1; size <= sizeof file; size++) {
            remrembg_output *output = NULL;
            remrembg_error *error = NULL;
            remrembg_code code = remrembg_remove_bytes(remover, file, size, NULL, NULL, NULL, &output, &error);
            CHECK(code != REMREMBG_OK && output == NULL && error != NULL);
            CHECK(remrembg_error_kind(error) == REMREMBG_KIND_VALIDATION);
            remrembg_error_free(error);
        }
    }
}

int main(void)
{
    remrembg_options *settings = tiny_settings();
    CHECK(remrembg_remover_new(settings, &remover, NULL) == REMREMBG_OK);
    remrembg_options_free(settings);
    null_is_told_everywhere();
    no_picture_is_a_refusal();
    text_that_is_not_utf8_is_refused_as_other_text_is();
    sizes_that_cannot_be_are_told();
    masks_and_mattes_that_cannot_be_are_told();
    misaligned_pointers_are_told();
    stale_handles_are_told();
    a_freed_handle_is_never_another();
    broken_files_are_refused();
    remrembg_remover_free(remover);
    remrembg_remover_free(remover);
    CHECK(remrembg_remover_engine(remover) == NULL);
    return checked();
}
