/* other_runtime THEIRS OURS: a host that has an ONNX Runtime of its own, THEIRS,
 * and removes with remrembg on OURS: another version, a copy, or the same file.
 * Both work, before and after each other. */
#define _POSIX_C_SOURCE 200809L
#include <dlfcn.h>
#include <remrembg.h>
#include <stdlib.h>

#include "check.h"

enum { WIDTH = 320, HEIGHT = 240, TOLERANCE = 2 };

/* As much of ONNX Runtime's interface as the host uses. Every function has its
 * place in a table, which later versions only add to. */
typedef void (*slot)(void);
struct ort_base {
    const slot *(*get_api)(uint32_t version);
    const char *(*version)(void);
};
enum { API = 16, CREATE_ENV = 3, CREATE_SESSION = 7, CREATE_OPTIONS = 10, RELEASE_ENV = 92, RELEASE_SESSION = 95,
       RELEASE_OPTIONS = 100 };
typedef void *(*create_env)(int level, const char *name, void **env);
typedef void *(*create_options)(void **options);
typedef void *(*create_session)(const void *env, const char *model, const void *options, void **session);
typedef void (*release)(void *what);

/* The host's side: an environment for as long as it runs, and sessions. */
struct host {
    const slot *api;
    const char *version;
    void *env;
};

static struct host start_host(const char *path)
{
    struct host host = {NULL, NULL, NULL};
    const struct ort_base *(*base)(void) = NULL;
    void *library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    void *found = library == NULL ? NULL : dlsym(library, "OrtGetApiBase");
    if (found == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(2);
    }
    memcpy(&base, &found, sizeof found);
    host.version = base()->version();
    host.api = base()->get_api(API);
    CHECK(host.api != NULL && ((create_env)host.api[CREATE_ENV])(3, "host", &host.env) == NULL);
    return host;
}

static void host_works(const struct host *host)
{
    const char *model = getenv("REMREMBG_TEST_MODEL");
    void *options = NULL, *session = NULL;
    CHECK(((create_options)host->api[CREATE_OPTIONS])(&options) == NULL);
    CHECK(((create_session)host->api[CREATE_SESSION])(host->env, model, options, &session) == NULL);
    ((release)host->api[RELEASE_SESSION])(session);
    ((release)host->api[RELEASE_OPTIONS])(options);
}

static remrembg_remover *new_remover(const char *engine, const char *runtime)
{
    remrembg_options *settings = remrembg_options_new();
    remrembg_remover *remover = NULL;
    remrembg_error *error = NULL;
    remrembg_options_set(settings, "engine", engine, NULL);
    remrembg_options_set(settings, "onnxruntime", runtime, NULL);
    if (remrembg_remover_new(settings, &remover, &error) != REMREMBG_OK) {
        fprintf(stderr, "%s\n", remrembg_error_message(error));
        exit(2);
    }
    remrembg_options_free(settings);
    return remover;
}

/* A disc on a gradient. */
static void paint(uint8_t *data)
{
    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++, data += 3) {
            int dx = x - WIDTH / 2, dy = y - HEIGHT / 2, inside = dx * dx + dy * dy < 80 * 80;
            data[0] = (uint8_t)(inside ? 200 : x / 3);
            data[1] = (uint8_t)(inside ? 90 : y / 3);
            data[2] = inside ? 40 : 140;
        }
    }
}

static void mask(const remrembg_remover *remover, uint8_t *room)
{
    static uint8_t data[WIDTH * HEIGHT * 3];
    remrembg_pixels pixels = {data, sizeof data, WIDTH, HEIGHT, 0, REMREMBG_LAYOUT_RGB8};
    remrembg_target target = {room, WIDTH * HEIGHT, WIDTH, HEIGHT, 0, REMREMBG_LAYOUT_GRAY8};
    remrembg_options *options = remrembg_options_new();
    remrembg_options_set(options, "mask", "true", NULL);
    paint(data);
    CHECK(remrembg_remove_pixels(remover, &pixels, options, &target, NULL, NULL) == REMREMBG_OK);
    remrembg_options_free(options);
}

static int largest_difference(const uint8_t *one, const uint8_t *other)
{
    int largest = 0;
    for (int i = 0; i < WIDTH * HEIGHT; i++) {
        int difference = abs(one[i] - other[i]);
        largest = difference > largest ? difference : largest;
    }
    return largest;
}

int main(int count, char **arguments)
{
    static uint8_t ours[WIDTH * HEIGHT], inside[WIDTH * HEIGHT];
    remrembg_remover *remover;
    struct host host;
    int difference;
    if (count != 3 || getenv("REMREMBG_TEST_MODEL") == NULL) {
        fprintf(stderr, "REMREMBG_TEST_MODEL=MODEL other_runtime THEIRS OURS\n");
        return 2;
    }
    host = start_host(arguments[1]);
    host_works(&host);
    remover = new_remover("onnxruntime", arguments[2]);
    mask(remover, ours);
    host_works(&host);
    printf("the host has ONNX Runtime %s, remrembg %s of %s", host.version, remrembg_remover_engine(remover)->version,
           remrembg_remover_engine(remover)->library);
    remrembg_remover_free(remover);
    remover = new_remover("rten", "");
    mask(remover, inside);
    remrembg_remover_free(remover);
    difference = largest_difference(ours, inside);
    printf("; the masks differ by %d of 255\n", difference);
    CHECK(difference <= TOLERANCE);
    host_works(&host);
    ((release)host.api[RELEASE_ENV])(host.env);
    return checked();
}
