import { fileURLToPath } from 'node:url';
import type { UserConfig } from 'vite';

const gateway = process.env['TASKFLOW_GATEWAY_ADDRESS'] ?? 'http://localhost:8080';

/** `npx vite services/gateway/console` serves the sources themselves, and calls the gateway of `npm start`. */
const config: UserConfig = {
  root: fileURLToPath(new URL('.', import.meta.url)),
  // Modern browsers only, so nothing is rewritten for others.
  build: {
    target: 'es2023',
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    rolldownOptions: {
      // Packages for servers and browsers say "use client" where it means something to a server.
      onLog: (level, log, handle) => (log.code === 'MODULE_LEVEL_DIRECTIVE' ? undefined : handle(level, log)),
    },
  },
  server: {
    proxy: Object.fromEntries(['^/([a-z]+/)?taskflow\\.', '^/session/'].map((paths) => [paths, { target: gateway }])),
  },
};

export default config;
