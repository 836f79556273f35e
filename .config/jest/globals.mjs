let current;

/** Makes these the functions of `@jest/globals`. */
export function useGlobals(globals) {
  current = globals;
}

/** A helper's module lives longer than the file of tests that it was loaded for. */
function ofCurrentFile(name) {
  return new Proxy(() => undefined, {
    apply: (_target, self, args) => Reflect.apply(current[name], self, args),
    get: (_target, key) => current[name][key],
  });
}

export const afterAll = ofCurrentFile('afterAll');
export const afterEach = ofCurrentFile('afterEach');
export const beforeAll = ofCurrentFile('beforeAll');
export const beforeEach = ofCurrentFile('beforeEach');
export const describe = ofCurrentFile('describe');
export const expect = ofCurrentFile('expect');
export const it = ofCurrentFile('it');
export const jest = ofCurrentFile('jest');
