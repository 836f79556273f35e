export { retry } from './retry.ts';
export { CallError, openStub, type Stub, type StubCallOptions, type StubOptions } from './stub.ts';
