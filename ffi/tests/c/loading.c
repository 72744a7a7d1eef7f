/* loading LIBRARY: loads libremrembg and lets go of it, as a plugin's host does.
 *
 * The library stays where it is, because threads may still run its code: what was
 * made before dlclose() works after it, and loading again is free. */
#define _POSIX_C_SOURCE 200809L
#include <dlfcn.h>
#include <pthread.h>
#include <remrembg.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"

enum { ROUNDS = 5, WIDTH = 64, HEIGHT = 48 };

/* What the program uses of the library. */
struct library {
    void *handle;
    remrembg_options *(*options_new)(void);
    remrembg_code (*options_set)(remrembg_options *, const char *, const char *, remrembg_error **);
    void (*options_free)(remrembg_options *);
    remrembg_code (*remover_new)(const remrembg_options *, remrembg_remover **, remrembg_error **);
    void (*remover_free)(remrembg_remover *);
    remrembg_code (*remove_pixels)(const remrembg_remover *, const remrembg_pixels *, const remrembg_options *,
                                   const remrembg_target *, remrembg_output **, remrembg_error **);
    void (*output_free)(remrembg_output *);
};

static const char *path;

/* C has no conversion from what dlsym() answers to a function. */
static void find(void *handle, const char *name, void *function)
{
    void *found = dlsym(handle, name);
    if (found == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        _exit(2);
    }
    memcpy(function, &found, sizeof found);
}

static struct library load(void)
{
    struct library library = {.handle = dlopen(path, RTLD_NOW | RTLD_LOCAL)};
    if (library.handle == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        _exit(2);
    }
    find(library.handle, "remrembg_options_new", &library.options_new);
    find(library.handle, "remrembg_options_set", &library.options_set);
    find(library.handle, "remrembg_options_free", &library.options_free);
    find(library.handle, "remrembg_remover_new", &library.remover_new);
    find(library.handle, "remrembg_remover_free", &library.remover_free);
    find(library.handle, "remrembg_remove_pixels", &library.remove_pixels);
    find(library.handle, "remrembg_output_free", &library.output_free);
    return library;
}

static remrembg_remover *new_remover(const struct library *library)
{
    remrembg_options *settings = library->options_new();
    remrembg_remover *remover = NULL;
    library->options_set(settings, "engine", "rten", NULL);
    library->options_set(settings, "model", getenv("REMREMBG_TEST_MODEL"), NULL);
    library->options_set(settings, "model_recipe", "size=8", NULL);
    CHECK(library->remover_new(settings, &remover, NULL) == REMREMBG_OK);
    library->options_free(settings);
    return remover;
}

static remrembg_code remove_one(const struct library *library, const remrembg_remover *remover)
{
    static const uint8_t data[WIDTH * HEIGHT * 3] = {255};
    remrembg_pixels pixels = {data, sizeof data, WIDTH, HEIGHT, 0, REMREMBG_LAYOUT_RGB8};
    remrembg_output *output = NULL;
    remrembg_code code = library->remove_pixels(remover, &pixels, NULL, NULL, &output, NULL);
    library->output_free(output);
    return code;
}

static int is_loaded(void)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
    return handle != NULL && dlclose(handle) == 0;
}

static void it_can_be_loaded_again_and_again(void)
{
    CHECK(!is_loaded());
    for (int round = 0; round < ROUNDS; round++) {
        struct library library = load();
        remrembg_remover *remover = new_remover(&library);
        CHECK(remove_one(&library, remover) == REMREMBG_OK);
        library.remover_free(remover);
        CHECK(dlclose(library.handle) == 0);
        CHECK(is_loaded());
    }
}

static void a_remover_outlives_dlclose(void)
{
    struct library library = load();
    remrembg_remover *remover = new_remover(&library);
    CHECK(dlclose(library.handle) == 0);
    CHECK(remove_one(&library, remover) == REMREMBG_OK);
    library.remover_free(remover);
}

static void *load_and_close(void *argument)
{
    remrembg_code *code = argument;
    struct library library = load();
    remrembg_remover *remover = new_remover(&library);
    dlclose(library.handle);
    *code = remove_one(&library, remover);
    library.remover_free(remover);
    return NULL;
}

/* Each thread takes down what it has of its own after the library was let go. */
static void threads_may_load_it_and_end(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        pthread_t threads[2];
        remrembg_code codes[2] = {REMREMBG_INTERNAL, REMREMBG_INTERNAL};
        for (int i = 0; i < 2; i++) {
            CHECK(pthread_create(&threads[i], NULL, load_and_close, &codes[i]) == 0);
        }
        for (int i = 0; i < 2; i++) {
            CHECK(pthread_join(threads[i], NULL) == 0 && codes[i] == REMREMBG_OK);
        }
    }
}

/* Nobody frees it: exit() finds the engine's threads waiting. */
static remrembg_remover *forgotten;

static void a_remover_may_be_left_at_exit(void)
{
    struct library library = load();
    forgotten = new_remover(&library);
    CHECK(remove_one(&library, forgotten) == REMREMBG_OK);
    CHECK(dlclose(library.handle) == 0);
}

int main(int count, char **arguments)
{
    if (count != 2 || getenv("REMREMBG_TEST_MODEL") == NULL) {
        fprintf(stderr, "REMREMBG_TEST_MODEL=MODEL loading LIBRARY\n");
        return 2;
    }
    path = arguments[1];
    it_can_be_loaded_again_and_again();
    a_remover_outlives_dlclose();
    threads_may_load_it_and_end();
    a_remover_may_be_left_at_exit();
    return checked();
}
