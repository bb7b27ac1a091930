# make                the program, build/release/lathe
# make test           every test of the library; MODE=debug, asan, tsan or release; CC=clang
# make check          what ./check runs: both compilers, sanitizers, format, structure, system tests
# make bench          measures this machine, one line per question
# make benches        the programs in bench/: one question each, about the engine alone
# make install        into $(PREFIX), /usr/local unless said otherwise; make uninstall takes it back
# make format         lays the source out as .clang-format says
# make V=1 ...        shows the commands; make clean removes build/
MODE   ?= release
CC     ?= cc
PREFIX ?= /usr/local
OUT    ?= build/$(MODE)
Q      := $(if $(V),,@)

# As many jobs as there are cores, unless -j said otherwise.
ifeq ($(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 2)
endif

# Modules from the lowest layer up (docs/ARCHITECTURE.md).  A test of a module is linked with that
# module and the ones before it, so a layer that reaches upwards does not link.
MODULES := base llm dev ledger sandbox code tensor data science doctor model optim train judge lab mcp cli

WARN := -Wall -Wextra -Wconversion -Wno-sign-conversion -Wdouble-promotion -Wshadow \
        -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wundef -Wformat=2 \
        -Wimplicit-fallthrough
WERROR ?= -Werror # a compiler that we have not met may warn of something new: WERROR= builds anyway
FLAGS_release := -O2 -g
FLAGS_debug   := -O0 -g3
FLAGS_asan    := -O1 -g3 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FLAGS_tsan    := -O1 -g3 -fsanitize=thread
STD    := -std=c17 -D_GNU_SOURCE -Isrc -I.
CFLAGS += $(STD) $(WARN) $(WERROR) $(FLAGS_$(MODE)) -ffp-contract=off -fno-math-errno -fno-trapping-math -MMD -MP
LDLIBS += -ljansson -lsqlite3 -lzstd -lz -lpcre2-8 -lm -lpthread
LDFLAGS += $(filter -fsanitize%,$(FLAGS_$(MODE)))

# Kernels are compiled once per processor level (src/tensor/kernel.h).
X86    := $(filter x86_64%,$(shell $(CC) -dumpmachine))
LEVELS := ref plain $(if $(X86),avx2 avx512)
FAST   := $(if $(filter release debug,$(MODE)),-O3)
LEVEL_ref    := -DLEVEL=0
LEVEL_plain  := -DLEVEL=1 $(FAST)
LEVEL_avx2   := -DLEVEL=2 $(FAST) -mavx2 -mfma
LEVEL_avx512 := -DLEVEL=3 $(FAST) -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mprefer-vector-width=512
# Half precision is chosen by the processor (cpu_computes), not by the level.
$(OUT)/src/tensor/level/gemm_half.avx512.o: HALF := -mavx512fp16
CFLAGS += $(if $(X86),-DHAVE_X86_LEVELS=1,-DHAVE_X86_LEVELS=0)

LEVELED := $(wildcard src/tensor/op/*.c src/tensor/level/*.c)
srcs     = $(filter-out $(LEVELED),$(wildcard src/$(1)/*.c))
objs     = $(patsubst %.c,$(OUT)/%.o,$(call srcs,$(1))) \
           $(if $(filter tensor,$(1)),$(foreach l,$(LEVELS),$(LEVELED:%.c=$(OUT)/%.$(l).o)))
lib      = $(OUT)/lib$(1).a
upto     = $(if $(filter $(1),$(firstword $(2))),$(1),$(firstword $(2)) $(call upto,$(1),$(wordlist 2,99,$(2))))
reverse  = $(if $(1),$(call reverse,$(wordlist 2,99,$(1))) $(firstword $(1)))
libs     = $(foreach m,$(call reverse,$(call upto,$(1),$(MODULES))),$(call lib,$(m)))
mod_of   = $(word 2,$(subst _, ,$(1)))
TESTS   := $(patsubst tests/%.c,%,$(wildcard tests/test_*.c))

all: $(OUT)/lathe

# cli is linked as objects: nothing calls its commands by name but the list.
$(OUT)/lathe: $(call objs,cli) $(call libs,mcp)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

define MODULE_RULE
$(call lib,$(1)): $(call objs,$(1))
	@rm -f $$@
	$(Q)$(AR) rcs $$@ $$^
endef
$(foreach m,$(MODULES),$(eval $(call MODULE_RULE,$(m))))

define TEST_RULE
$(OUT)/$(1): $(OUT)/tests/$(1).o $(filter-out $(OUT)/src/cli/main.o,$(if $(filter cli,$(call mod_of,$(1))),$(call objs,cli))) \
             $(call libs,$(if $(filter cli,$(call mod_of,$(1))),mcp,$(call mod_of,$(1))))
	$(Q)$(CC) $(LDFLAGS) -o $$@ $$^ $(LDLIBS)
endef
$(foreach t,$(TESTS),$(eval $(call TEST_RULE,$(t))))

# A bench is a program of its own over the tensor library: bench/gemm.c is build/release/bench_gemm.
BENCHES := $(patsubst bench/%.c,bench_%,$(wildcard bench/*.c))
$(OUT)/bench_%: $(OUT)/bench/%.o $(call libs,tensor)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
benches: $(BENCHES:%=$(OUT)/%)

$(OUT)/%.o: %.c
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC  $<")
	$(Q)$(CC) $(CFLAGS) -c -o $@ $<
define LEVEL_RULE
$(OUT)/%.$(1).o: %.c
	@mkdir -p $$(@D)
	$(if $(V),,@echo "  CC  $$< ($(1))")
	$(Q)$(CC) $(CFLAGS) $(LEVEL_$(1)) $$(HALF) -c -o $$@ $$<
endef
$(foreach l,$(LEVELS),$(eval $(call LEVEL_RULE,$(l))))

# What the tool `source` shows (src/lab/tool_source.c): the modules that decide how a model trains.
SHOWN := $(sort $(foreach m,model optim train tensor science doctor,$(wildcard src/$(m)/*.[ch])) $(wildcard src/tensor/*/*.[ch]))
$(OUT)/source.txt: $(SHOWN)
	@mkdir -p $(@D)
	$(Q)for f in $(SHOWN); do echo "@@ $$f"; cat $$f; done >$@.part && mv $@.part $@
$(OUT)/src/lab/tool_source.o: $(OUT)/source.txt
$(OUT)/src/lab/tool_source.o: CFLAGS += -DSOURCE_TEXT='"$(OUT)/source.txt"'

# Programs that tests/system needs beside lathe itself: tests/system/toml_dump.c is $(OUT)/toml_dump.
HELPERS := $(patsubst tests/system/%.c,$(OUT)/%,$(wildcard tests/system/*.c))
$(HELPERS): $(OUT)/%: $(OUT)/tests/system/%.o $(call libs,lab)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
helpers: $(HELPERS)

tests: $(TESTS:%=$(OUT)/%)
test: tests
	@failed=0; for t in $(TESTS); do echo "# $$t"; $(OUT)/$$t || failed=1; done; exit $$failed
check:
	./check
bench: $(OUT)/lathe benches
	@$(OUT)/lathe bench
	@for b in $(BENCHES); do echo "# $$b"; $(OUT)/$$b || exit 1; done

SHARE := $(DESTDIR)$(PREFIX)/share
BASH  := $(SHARE)/bash-completion/completions/lathe
ZSH   := $(SHARE)/zsh/site-functions/_lathe
install: $(OUT)/lathe
	install -D -m 755 $(OUT)/lathe $(DESTDIR)$(PREFIX)/bin/lathe
	$(OUT)/lathe man >$(OUT)/lathe.1
	$(OUT)/lathe completion bash >$(OUT)/completion.bash
	$(OUT)/lathe completion zsh >$(OUT)/completion.zsh
	install -D -m 644 $(OUT)/lathe.1 $(SHARE)/man/man1/lathe.1
	install -D -m 644 $(OUT)/completion.bash $(BASH)
	install -D -m 644 $(OUT)/completion.zsh $(ZSH)
	install -d $(SHARE)/lathe/recipes
	install -m 644 recipes/*.toml $(SHARE)/lathe/recipes
uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/lathe $(SHARE)/man/man1/lathe.1 $(BASH) $(ZSH)
	rm -rf $(SHARE)/lathe

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile
clean:
	rm -rf build
format:
	tools/check_format.sh --fix
.PHONY: all tests test check benches bench helpers benches install uninstall help clean format
.SECONDARY:
-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
