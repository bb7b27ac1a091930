/* optim_list.h - every optimizer, one line each; the order is that of the choice `optim.name`,
 * the first is the default.  No include guard: this file is included several times. */
OPTIM(adamw)
OPTIM(muon)
OPTIM(lion)
OPTIM(soap)
