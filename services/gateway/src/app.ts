import { docsPages, startProcess } from '#libs/service';
import { startHttpPort, type Logger, type RunningProcess } from '#libs/runtime';
import type { GatewayConfig } from './config.ts';
import { startGatewayServer, type GatewayServer } from './http/server.ts';

export interface RunningGateway extends RunningProcess {
  readonly rpcPort: number;
}

/** Starts the gateway. It holds no state and no key, and is ready whether or not the services are. */
export function startApp(config: GatewayConfig, overrides: { logger?: Logger } = {}): Promise<RunningGateway> {
  return startProcess({ name: 'gateway', config }, overrides, async ({ logger, metrics, certificates, parts }) => {
    const running: { server?: GatewayServer } = {};
    const http = await startHttpPort({
      host: config.host,
      port: config.httpPort,
      metrics,
      pages: config.env === 'production' ? {} : docsPages(),
      isReady: () => running.server?.isServing() ?? false,
    });
    parts.add({ name: 'http port', stop: http.close });
    const server = await startGatewayServer(config, { certificates, logger, metrics });
    parts.add({ name: 'gateway server', stop: server.stop });
    running.server = server;
    return { rpcPort: server.port, httpPort: http.port };
  });
}
