/* schedules.c - the shapes themselves; each falls from 1 to `final`. */
#include "optim/optim.h"

#define SCHEDULE(title) extern const ScheduleDef schedule_##title;
#include "optim/schedule_list.h"
#undef SCHEDULE

static double constant(ScheduleIn in)
{
    (void)in;
    return 1;
}

static double cosine(ScheduleIn in)
{
    return in.final + (1 - in.final) * 0.5 * (1 + schedule_cospi(in.at));
}

static double linear(ScheduleIn in)
{
    return 1 - (1 - in.final) * in.at;
}

static double wsd(ScheduleIn in)
{
    return in.left >= in.decay ? 1 : in.final + (1 - in.final) * (in.left / in.decay);
}

const ScheduleDef schedule_constant = { .name = "constant",
                                        .doc = "1 to the end",
                                        .factor = constant };
const ScheduleDef schedule_cosine = {
    .name = "cosine",
    .doc = "half a cosine from 1 to final",
    .source = "Loshchilov and Hutter 2016, arXiv:1608.03983",
    .factor = cosine,
};
const ScheduleDef schedule_linear = { .name = "linear",
                                      .doc = "a straight line from 1 to final",
                                      .factor = linear };
const ScheduleDef schedule_wsd = {
    .name = "wsd",
    .doc = "1, then a straight line to final over the last decay share",
    .source = "Haegele et al. 2024, arXiv:2405.18392",
    .factor = wsd,
};
