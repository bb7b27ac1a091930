/* researcher_list.h - every researcher, one line each. */
RESEARCHER(builtin)
RESEARCHER(random)
RESEARCHER(aa)
RESEARCHER(agent)
