import { describe, expect, it } from '@jest/globals';
import { Scope, scopeToNumber } from './gen/taskflow/policy/v1/policy.ts';
import { findScope, policies, toScopeMessage, tokenScopes } from './index.ts';
import { readScope } from './scopes.ts';

const [none, sessionOnly, any, tasksRead, admin] = [
  Scope.UNSPECIFIED,
  Scope.SESSION_ONLY,
  Scope.ANY,
  Scope.TASKS_READ,
  Scope.ADMIN,
].map(scopeToNumber) as [number, number, number, number, number];

const read =
  (access: string, scope: number, sensitive = false) =>
  () =>
    readScope({ path: '/a.B/C', access, sensitive, scope });

describe('the scope of a method', () => {
  it('is demanded of every method for people that is not sensitive', () => {
    expect(read('user', none)).toThrow('/a.B/C: its policy lacks scope');
    expect(read('admin', none)).toThrow('its policy lacks scope');
    expect(read('user', tasksRead)()).toBe('tasks:read');
    expect(read('user', sessionOnly)()).toBeUndefined();
    expect(read('admin', sessionOnly)()).toBeUndefined();
    expect(read('user', any)()).toBe('any');
    expect(read('user', none, true)()).toBeUndefined();
  });

  it('is refused where no token has a place', () => {
    for (const access of ['public', 'service']) {
      expect(read(access, none)()).toBeUndefined();
      expect(read(access, tasksRead)).toThrow('a method without users has no scope');
      expect(read(access, sessionOnly)).toThrow('a method without users has no scope');
      expect(read(access, any)).toThrow('a method without users has no scope');
    }
    expect(read('user', tasksRead, true)).toThrow('no token may call a sensitive method');
    expect(read('admin', admin, true)).toThrow('no token may call a sensitive method');
  });

  it('is admin for the methods of administrators, and for no others', () => {
    expect(read('admin', admin)()).toBe('admin');
    expect(read('admin', tasksRead)).toThrow('the scope admin is that of');
    expect(read('admin', any)).toThrow('the scope admin is that of');
    expect(read('user', admin)).toThrow('the scope admin is that of');
  });

  it('has one name and one value, and each is of use', () => {
    for (const scope of tokenScopes) expect(findScope(toScopeMessage(scope))).toBe(scope);
    for (const scope of [Scope.UNSPECIFIED, Scope.SESSION_ONLY, Scope.ANY, Scope.UNRECOGNIZED])
      expect(findScope(scope)).toBeUndefined();
    const used = new Set([...policies.values()].map(({ scope }) => scope));
    expect(tokenScopes.filter((scope) => !used.has(scope))).toEqual([]);
  });
});
