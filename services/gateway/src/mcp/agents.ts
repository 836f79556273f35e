import { readBuildInfo, type Logger, type Metrics } from '#libs/runtime';
import type { Door, HandlerOptions } from '../http/handle-call.ts';
import type { McpOptions } from './handle-mcp.ts';

/** The agents' door. */
export function openAgents(options: HandlerOptions, { logger, metrics }: { logger: Logger; metrics: Metrics }): Door {
  const requests = metrics.counter('taskflow_mcp_requests_total', 'Requests of agents.', ['method', 'tool', 'outcome']);
  const own: McpOptions = {
    ...options,
    version: readBuildInfo().version,
    count: ({ method, tool = '', outcome }) => requests.inc({ method, tool, outcome }),
    onFault: (error) => logger.error({ err: error }, 'a request of an agent failed'),
  };
  return {
    isFor: ({ url = '' }) => url.split('?', 1)[0] === '/mcp',
    handle: async (request, response) => {
      // The protocol's library takes a tenth of a second to load. A gateway that no agent asks need not.
      const { handleMcp } = await import('./handle-mcp.ts');
      await handleMcp(request, response, own);
    },
  };
}
