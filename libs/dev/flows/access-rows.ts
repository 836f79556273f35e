import type { Person, TestCluster } from './test-cluster.ts';

/** Those who hold a good access token, by what they have to do with the object that a request is about. */
export type Relation = 'owner' | 'assignee' | 'other' | 'admin';
export type People = Record<Relation, Person>;

/** Somebody new for each relation but the administrator. */
export async function registerPeople(testCluster: TestCluster): Promise<People> {
  return {
    owner: await testCluster.register(),
    assignee: await testCluster.register(),
    other: await testCluster.register(),
    admin: testCluster.admin,
  };
}

/** What a row's request is made from; a new one for every call. */
export interface Call {
  testCluster: TestCluster;
  people: People;
  /** Who makes it; the owner when nobody in particular does. */
  caller: Person;
}

/** What one method answers to those whom the contract admits to it. */
export interface Row {
  request: (call: Call) => object | Promise<object>;
  /** The outcome of each of them; of services always the owner's. Without it everybody that is admitted gets OK. */
  answers?: Record<Relation, string>;
}

/** A row for each method of a service, by its name in the contract; without one of them this does not compile. */
export type Rows<Service> = Record<Capitalize<keyof Service & string>, Row>;

export const everybody: Record<Relation, string> = { owner: 'OK', assignee: 'OK', other: 'OK', admin: 'OK' };

export const foreignList = 'PERMISSION_DENIED/ADMIN_REQUIRED';

/** Its id. */
export const newAccount = async ({ testCluster }: Call): Promise<string> => (await testCluster.register()).id;
