/* cmd_mcp.c - `lathe mcp`: the lab's tools for an agent. */
#include <stdio.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "mcp/mcp.h"

static void told(int port)
{
    fprintf(stderr, "http://127.0.0.1:%d/mcp, until Ctrl-C\n", port);
}

static bool run(Cmd *c, Err *err)
{
    double idle = 0, port = 0;
    if (!cmd_number(c, "idle", 10, 0, 100000, &idle, err) ||
        !cmd_number(c, "port", 0, 1, 65535, &port, err))
        return false;
    McpServer m = { .lab = c->lab, .program = c->program, .idle = idle };
    if (cmd_has(c, "http") || cmd_has(c, "port")) return mcp_http(&m, (int)port, told, err);
    return mcp_stdio(&m, STDIN_FILENO, STDOUT_FILENO, err);
}

static const CmdOpt opts[] = {
    { "idle", 0, "MINUTES",
      "when nobody was heard for so long, the built-in researcher fills the machine; 10, 0: "
      "never" },
    { "http", 0, NULL, "serve http://127.0.0.1:PORT/mcp instead of standard input and output" },
    { "port", 0, "P", "the port, with --http; else any that is free" },
    { 0 },
};

const CmdDef cmd_mcp = {
    .name = "mcp",
    .doc = "the lab's tools for an agent, over MCP",
    .more =
        "A Model Context Protocol server, revisions 2025-11-25 and 2026-07-28, on standard input "
        "and output. The agent proposes; the lab's worker runs, judges and goes on when the agent "
        "is gone. Documents of data sets are shown only where `lathe share` allows it. For Claude "
        "Code:\n\n"
        "    claude mcp add lathe -- lathe -C LAB mcp\n\n"
        "For other agents, in their JSON configuration:\n\n"
        "    {\"mcpServers\": {\"lathe\": {\"command\": \"lathe\", \"args\": [\"-C\", \"LAB\", "
        "\"mcp\"]}}}\n\n"
        "With --http any process of this machine may call, whoever its user is; requests that a "
        "web page sent are refused.",
    .opts = opts,
    .needs_lab = true,
    .run = run,
};
