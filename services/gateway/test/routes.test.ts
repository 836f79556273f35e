import { expect, it } from '@jest/globals';
import { policies } from '#libs/contract';
import { listRoutes } from '../src/routes.ts';

it('serves every method of the contract that is not internal, and no other', () => {
  const expected = [...policies.values()].flatMap(({ path, service }) => {
    if (service.includes('.Internal')) return [];
    const isShared = /^taskflow\.(server|resilience|audit|export)\./.test(service);
    return isShared ? ['auth', 'users', 'tasks', 'scheduler'].map((server) => `/${server}${path}`) : [path];
  });
  expect([...listRoutes().keys()].toSorted()).toEqual(expected.toSorted());
});

it('serves no method that only services may call', () => {
  expect([...listRoutes().values()].filter(({ policy }) => policy.access === 'service')).toEqual([]);
});
