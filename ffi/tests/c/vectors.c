/* Replays test vectors that come on standard input: each value as
 * `length:bytes`, in the order in which the functions below read them. */
#include <remrembg.h>
#include <stdlib.h>

#include "check.h"
#include "tiny.h"

static void *or_die(void *memory)
{
    if (memory == NULL) {
        fprintf(stderr, "out of memory, or input that ends too soon\n");
        exit(2);
    }
    return memory;
}

/* The next value, NUL behind it; NULL at the end of the input. */
static char *next(size_t *length)
{
    unsigned long long size;
    char *value;
    if (scanf("%llu:", &size) != 1) {
        return NULL;
    }
    value = or_die(malloc((size_t)size + 1));
    if (fread(value, 1, (size_t)size, stdin) != size) {
        or_die(NULL);
    }
    value[size] = '\0';
    if (length != NULL) {
        *length = (size_t)size;
    }
    return value;
}

static uint32_t number(void)
{
    char *text = or_die(next(NULL));
    uint32_t value = (uint32_t)strtoul(text, NULL, 10);
    free(text);
    return value;
}

static void pairs(remrembg_options *options)
{
    for (uint32_t count = number(); count > 0; count--) {
        char *key = or_die(next(NULL));
        char *value = or_die(next(NULL));
        CHECK(remrembg_options_set(options, key, value, NULL) == REMREMBG_OK);
        free(key);
        free(value);
    }
}

/* What a case expects: nothing but success where `body` is empty. */
struct expected {
    char *body;
    uint32_t status;
    char *name;
};

static struct expected expectation(void)
{
    struct expected expected = {or_die(next(NULL)), 0, NULL};
    if (expected.body[0] != '\0') {
        expected.status = number();
        expected.name = or_die(next(NULL));
    }
    return expected;
}

static void compare(const char *name, remrembg_code code, remrembg_error *error, const struct expected *expected)
{
    int before = failures;
    CHECK((code == REMREMBG_OK) == (expected->name == NULL));
    CHECK((error == NULL) == (expected->name == NULL));
    if (error != NULL && expected->name != NULL) {
        CHECK_TEXT(remrembg_error_json(error), expected->body);
        CHECK_TEXT(remrembg_error_name(error), expected->name);
        CHECK(remrembg_error_status(error) == expected->status);
    } else if (error != NULL) {
        CHECK_TEXT(remrembg_error_json(error), "");
    }
    if (failures != before) {
        fprintf(stderr, "  in: %s\n", name);
    }
    remrembg_error_free(error);
}

static void forget(struct expected *expected)
{
    free(expected->body);
    free(expected->name);
}

/* Options are refused alike when their size is asked for and when they are used. */
static void options_case(const char *name, const remrembg_remover *remover)
{
    static const uint8_t picture[12] = {0};
    remrembg_pixels pixels = {picture, sizeof picture, 2, 2, 6, REMREMBG_LAYOUT_RGB8};
    remrembg_options *options = remrembg_options_new();
    remrembg_output *output = NULL;
    remrembg_error *error = NULL;
    remrembg_code code;
    struct expected expected;
    pairs(options);
    expected = expectation();
    code = remrembg_options_size(options, 100, 80, NULL, NULL, &error);
    compare(name, code, error, &expected);
    if (expected.name != NULL) {
        code = remrembg_remove_pixels(remover, &pixels, options, NULL, &output, &error);
        compare(name, code, error, &expected);
        CHECK(output == NULL);
    }
    forget(&expected);
    remrembg_options_free(options);
}

static void geometry_case(const char *name)
{
    remrembg_options *options = remrembg_options_new();
    uint32_t width, height, got_width = 0, got_height = 0;
    pairs(options);
    width = number();
    height = number();
    CHECK(remrembg_options_size(options, width, height, &got_width, &got_height, NULL) == REMREMBG_OK);
    width = number();
    height = number();
    if (got_width != width || got_height != height) {
        failures++;
        fprintf(stderr, "%s: got %u x %u, expected %u x %u\n", name, got_width, got_height, width, height);
    }
    remrembg_options_free(options);
}

static remrembg_code remove_pixels(const remrembg_remover *remover, remrembg_output **output, remrembg_error **error)
{
    char *layout = or_die(next(NULL));
    remrembg_pixels pixels = {NULL, 0, 0, 0, 0, 0};
    uint8_t *data;
    remrembg_code code;
    pixels.layout = strcmp(layout, "rgb8") == 0 ? REMREMBG_LAYOUT_RGB8 : REMREMBG_LAYOUT_RGBA8;
    pixels.width = number();
    pixels.height = number();
    pixels.stride = number();
    pixels.size = number();
    pixels.data = data = or_die(calloc(pixels.size + 1, 1));
    code = remrembg_remove_pixels(remover, &pixels, NULL, NULL, output, error);
    free(data);
    free(layout);
    return code;
}

static remrembg_code remove_as(const char *kind, const remrembg_remover *remover, remrembg_output **output,
                               remrembg_error **error)
{
    size_t size = 0;
    char *data, *file_name = NULL;
    remrembg_code code;
    if (strcmp(kind, "pixels") == 0) {
        return remove_pixels(remover, output, error);
    }
    if (strcmp(kind, "missing") == 0) {
        return remrembg_remove_bytes(remover, NULL, 0, NULL, NULL, NULL, output, error);
    }
    data = or_die(next(&size));
    if (strcmp(kind, "path") == 0) {
        code = remrembg_remove_path(remover, data, NULL, NULL, output, error);
    } else {
        if (strcmp(kind, "upload") == 0) {
            file_name = or_die(next(NULL));
        }
        code = remrembg_remove_bytes(remover, (const uint8_t *)data, size, file_name, NULL, NULL, output, error);
    }
    free(file_name);
    free(data);
    return code;
}

static void file_case(const char *name)
{
    remrembg_options *settings = tiny_settings();
    remrembg_remover *remover = NULL;
    remrembg_output *output = NULL;
    remrembg_error *error = NULL;
    remrembg_code code;
    struct expected expected;
    char *kind;
    pairs(settings);
    CHECK(remrembg_remover_new(settings, &remover, NULL) == REMREMBG_OK);
    kind = or_die(next(NULL));
    code = remove_as(kind, remover, &output, &error);
    expected = expectation();
    compare(name, code, error, &expected);
    CHECK((output != NULL) == (code == REMREMBG_OK));
    forget(&expected);
    free(kind);
    remrembg_output_free(output);
    remrembg_remover_free(remover);
    remrembg_options_free(settings);
}

int main(void)
{
    remrembg_options *settings = tiny_settings();
    remrembg_remover *remover = NULL;
    int count = 0;
    char *kind;
    CHECK(remrembg_remover_new(settings, &remover, NULL) == REMREMBG_OK);
    while ((kind = next(NULL)) != NULL) {
        char *name = or_die(next(NULL));
        if (strcmp(kind, "options") == 0) {
            options_case(name, remover);
        } else if (strcmp(kind, "geometry") == 0) {
            geometry_case(name);
        } else {
            file_case(name);
        }
        free(name);
        free(kind);
        count++;
    }
    remrembg_remover_free(remover);
    remrembg_options_free(settings);
    printf("%d cases\n", count);
    return checked();
}
