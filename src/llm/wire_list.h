/* wire_list.h - every protocol, one line each.  No include guard: included several times. */
WIRE(anthropic)
WIRE(openai)
