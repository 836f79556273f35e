import { Scope, scopeToNumber } from './gen/taskflow/policy/v1/policy.ts';

/** A scope that a personal token can hold, as a message names it. */
export type ScopeMessage = Exclude<Scope, Scope.UNSPECIFIED | Scope.SESSION_ONLY | Scope.ANY | Scope.UNRECOGNIZED>;

const names = {
  [Scope.TASKS_READ]: 'tasks:read',
  [Scope.TASKS_WRITE]: 'tasks:write',
  [Scope.NOTIFICATIONS_READ]: 'notifications:read',
  [Scope.NOTIFICATIONS_WRITE]: 'notifications:write',
  [Scope.WEBHOOKS_READ]: 'webhooks:read',
  [Scope.WEBHOOKS_WRITE]: 'webhooks:write',
  [Scope.USERS_READ]: 'users:read',
  [Scope.USERS_WRITE]: 'users:write',
  [Scope.ACCOUNT_READ]: 'account:read',
  [Scope.ADMIN]: 'admin',
  [Scope.PROJECTS_READ]: 'projects:read',
  [Scope.PROJECTS_WRITE]: 'projects:write',
} as const satisfies Record<ScopeMessage, string>;

/** The same by its name in errors, documents and databases: "tasks:read". */
export type TokenScope = (typeof names)[ScopeMessage];

/** What a method asks of a personal token; "any" is no scope, but the word that the method needs none. */
export type NeededScope = TokenScope | 'any';

const messages = Object.keys(names) as ScopeMessage[];
const messageByName = new Map<TokenScope, ScopeMessage>(messages.map((message) => [names[message], message]));
const nameByNumber = new Map(messages.map((message) => [scopeToNumber(message), names[message]]));

/** Every scope that a token can hold. */
export const tokenScopes: readonly TokenScope[] = [...messageByName.keys()];

/** Undefined for a value that no token can hold. */
export function findScope(message: Scope): TokenScope | undefined {
  return message in names ? names[message as ScopeMessage] : undefined;
}

export function toScopeMessage(scope: TokenScope): ScopeMessage {
  return messageByName.get(scope) as ScopeMessage;
}

/** What matters here of a method's policy. */
interface Scoped {
  path: string;
  access: string;
  sensitive: boolean;
  /** The number of the enum's value. */
  scope: number;
}

function findFault({ access, sensitive, scope }: Scoped, name: NeededScope | undefined): string | undefined {
  const isDeclared = scope !== scopeToNumber(Scope.UNSPECIFIED);
  if (access !== 'user' && access !== 'admin') return isDeclared ? 'a method without users has no scope' : undefined;
  if (sensitive) return isDeclared ? 'no token may call a sensitive method, so it has no scope' : undefined;
  return isDeclared ? findMismatch(access, name) : 'its policy lacks scope';
}

function findMismatch(access: 'user' | 'admin', name: NeededScope | undefined): string | undefined {
  const isRight = name === undefined || (name === 'admin') === (access === 'admin');
  return isRight ? undefined : 'the scope admin is that of the methods for administrators, and theirs alone';
}

/** The scope that a token needs; undefined when no token may call the method. Throws unless it has what belongs to it. */
export function readScope(method: Scoped): NeededScope | undefined {
  const name = method.scope === scopeToNumber(Scope.ANY) ? 'any' : nameByNumber.get(method.scope);
  const fault = findFault(method, name);
  if (fault !== undefined) throw new Error(`${method.path}: ${fault}`);
  return name;
}
