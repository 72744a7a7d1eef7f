/* What the header promises of masks that are brought, and of the model's own. */
#include <remrembg.h>

#include "check.h"
#include "painted.h"

/* The mask that a removal with these options makes of a picture that the model
 * would find subject at the left of. */
static void mask_of(const remrembg_remover *remover, remrembg_options *options, uint8_t *mask)
{
    uint8_t data[WIDTH * HEIGHT * 3];
    remrembg_pixels pixels = {data, sizeof data, WIDTH, HEIGHT, 0, REMREMBG_LAYOUT_RGB8};
    remrembg_target target = {mask, WIDTH * HEIGHT, WIDTH, HEIGHT, 0, REMREMBG_LAYOUT_GRAY8};
    paint(data, WIDTH * 3, REMREMBG_LAYOUT_RGB8);
    CHECK(remrembg_remove_pixels(remover, &pixels, options, &target, NULL, NULL) == REMREMBG_OK);
}

static void a_mask_that_is_brought_stands_in_for_the_models(const remrembg_remover *remover)
{
    remrembg_options *options = new_options("mask", "true"), *png = new_options("format", "png");
    uint8_t ramp[WIDTH * HEIGHT], made[WIDTH * HEIGHT];
    const remrembg_pixels brought = {ramp, sizeof ramp, WIDTH, HEIGHT, 0, REMREMBG_LAYOUT_GRAY8};
    remrembg_output *file = NULL;
    size_t size = 0;
    const uint8_t *bytes;
    for (size_t i = 0; i < sizeof ramp; i++) {
        ramp[i] = (uint8_t)(i % WIDTH * 17);
    }
    remrembg_options_set(options, "refine", "off", NULL);
    CHECK(remrembg_options_set_mask(options, &brought, NULL) == REMREMBG_OK);
    mask_of(remover, options, made);
    CHECK(memcmp(made, ramp, sizeof ramp) == 0);

    CHECK(remrembg_options_set_mask(options, NULL, NULL) == REMREMBG_OK);
    mask_of(remover, options, made);
    CHECK(made[0] >= SUBJECT && made[WIDTH - 1] == 0);

    CHECK(remrembg_remove_pixels(remover, &brought, png, NULL, &file, NULL) == REMREMBG_OK);
    bytes = remrembg_output_data(file, &size);
    CHECK(remrembg_options_set_mask_bytes(options, bytes, size, NULL) == REMREMBG_OK);
    remrembg_output_free(file);
    mask_of(remover, options, made);
    CHECK(made[0] == made[WIDTH] && made[WIDTH - 1] == made[2 * WIDTH - 1]);
    CHECK(remrembg_options_set_mask_bytes(options, NULL, 0, NULL) == REMREMBG_OK);
    remrembg_options_free(png);
    remrembg_options_free(options);
}

static void a_trimap_is_solved_for(const remrembg_remover *remover)
{
    remrembg_options *options = new_options("mask", "true");
    uint8_t trimap[WIDTH * HEIGHT], made[WIDTH * HEIGHT];
    const remrembg_pixels brought = {trimap, sizeof trimap, WIDTH, HEIGHT, 0, REMREMBG_LAYOUT_GRAY8};
    remrembg_output *output = NULL;
    remrembg_error *error = NULL;
    for (size_t i = 0; i < sizeof trimap; i++) {
        trimap[i] = i % WIDTH < 3 ? 0 : i % WIDTH > WIDTH - 4 ? 255 : 128;
    }
    remrembg_options_set(options, "trimap", "true", NULL);
    CHECK(remrembg_remove_bytes(remover, trimap, 1, NULL, options, NULL, &output, &error) == REMREMBG_MULTIPLE);
    remrembg_error_free(error);
    CHECK(remrembg_options_set_mask(options, &brought, NULL) == REMREMBG_OK);
    mask_of(remover, options, made);
    for (int x = 0; x < WIDTH; x++) {
        CHECK(x < WIDTH / 2 ? made[x] < 60 : made[x] > 195);
    }
    remrembg_options_free(options);
}

static void the_models_own_matte_is_floats(const remrembg_remover *remover)
{
    remrembg_options *options = new_options("refine", "off");
    uint8_t data[WIDTH * HEIGHT * 3];
    const remrembg_pixels pixels = {data, sizeof data, WIDTH, HEIGHT, 0, REMREMBG_LAYOUT_RGB8};
    const remrembg_target target = {NULL, 0, 0, 0, 0, REMREMBG_LAYOUT_MATTE};
    remrembg_output *output = NULL;
    uint32_t width = 0, height = 0;
    size_t size = 0;
    paint(data, WIDTH * 3, REMREMBG_LAYOUT_RGB8);
    CHECK(remrembg_remove_pixels(remover, &pixels, options, &target, &output, NULL) == REMREMBG_OK);
    remrembg_output_size(output, &width, &height);
    CHECK(width == 8 && height == 8);
    {
        const float *matte = (const float *)(const void *)remrembg_output_data(output, &size);
        CHECK(size == 8 * 8 * sizeof *matte && matte[0] > 0.9F && matte[7] < 0.1F);
    }
    CHECK(remrembg_output_mime(output) == NULL && remrembg_output_time(output, REMREMBG_STAGE_ENCODE) == 0);
    CHECK(remrembg_output_confidence(output) == 0 && !remrembg_output_bounds(output, NULL));
    remrembg_output_free(output);
    remrembg_options_free(options);
}

int main(void)
{
    remrembg_remover *remover = new_remover();
    a_mask_that_is_brought_stands_in_for_the_models(remover);
    a_trimap_is_solved_for(remover);
    the_models_own_matte_is_floats(remover);
    remrembg_remover_free(remover);
    return checked();
}
