import { createRequire, registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import Runtime from 'jest-runtime';
import { useGlobals } from './globals.mjs';

const require = createRequire(import.meta.url);
/** Where jest-circus keeps who listens to its events: each file of tests begins with its own. */
const eventHandlers = Symbol.for('EVENT_HANDLERS');

/** Tests and helpers import the functions of the file that is running. */
registerHooks({
  resolve: (specifier, context, nextResolve) =>
    specifier === '@jest/globals'
      ? { url: import.meta.resolve('./globals.mjs'), format: 'module', shortCircuit: true }
      : nextResolve(specifier, context),
});

/**
 * Has Node load the tests, as it loads the services, instead of jest's own loader, which links every module again for each
 * file: that took longer than the tests. A worker keeps modules, so their state passes from one file to the next.
 */
export default class NativeRuntime extends Runtime {
  /** jest-circus and expect are loaded by Node too: `expect.any(Number)` must mean the Number of the tests. */
  requireInternalModule(path) {
    delete globalThis[eventHandlers];
    delete require.cache[path];
    return require(path);
  }

  unstable_shouldLoadAsEsm() {
    return true;
  }

  async unstable_importModule(path) {
    useGlobals(this.jestGlobals.cjsGlobals(path));
    return import(pathToFileURL(path).href);
  }
}
