/* schedule_list.h - every schedule, one line each, in the order of the choice `schedule.name`.
 * No include guard: this file is included several times. */
SCHEDULE(constant)
SCHEDULE(cosine)
SCHEDULE(linear)
SCHEDULE(wsd)
