/* cpu_room.h - how much memory this machine, or the container around us, still has. */
#ifndef DEV_CPU_ROOM_H
#define DEV_CPU_ROOM_H

#include "base/base.h"

C_BEGIN

ptrdiff_t cpu_room_left(void); /* bytes; PTRDIFF_MAX where it cannot be told */

C_END
#endif
