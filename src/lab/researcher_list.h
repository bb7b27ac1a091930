/* researcher_list.h - every researcher, one line each. */
RESEARCHER(builtin)
RESEARCHER(random)
RESEARCHER(aa)
RESEARCHER(agent)
RESEARCHER(scripted)
RESEARCHER(claude)
RESEARCHER(openai)
RESEARCHER(hybrid)
