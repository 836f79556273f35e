import { policies } from '#libs/contract';
import { limitsEntries, toLimitsConfig, type LimitsConfig } from '#libs/limits';
import { addressType, ConfigError, envTypes, loadServiceConfig, type ServiceConfig } from '#libs/runtime';
import { looksLikeEmail, normaliseEmail } from '#libs/text';
import { isLongEnough, isShortEnough, maxPasswordBytes, minPasswordCharacters } from './domain/password.ts';

export interface AuthConfig extends ServiceConfig {
  limits: LimitsConfig;
  /** Where profiles are sent. */
  usersAddress: string;
  /** The newest encrypts the signing keys and derives refresh tokens; what the others did is understood. */
  encryptionKeys: Buffer[];
  /** The first administrator, made at the start when the e-mail has no account. */
  administrator: { email: string; password: string } | undefined;
  /** How long a replaced refresh token still gives the same successor; 0: it is never exchanged a second time. */
  refreshGraceMs: number;
  /** Wrong passwords of one peer for one account. */
  passwordAttempts: { free: number; firstWaitMs: number; longestWaitMs: number };
  /** Who may register: anybody, whoever is invited, or only those who were invited before. */
  registration: (typeof registrations)[number];
  invitationLifetimeMs: number;
  recovery: RecoverySettings;
  /** How long a deleted account can be taken back. */
  deletionGraceMs: number;
  /** Where tasks are removed. */
  tasksAddress: string;
  /** Where mails are handed over. */
  schedulerAddress: string;
  /** How long a session lives after its last use. */
  sessionLifetimeMs: number;
  /** How long a copy of the key set may be used before it is fetched again. */
  jwksMaxAgeMs: number;
  /** A new signing key is published for this much longer before it signs. */
  keyMarginMs: number;
}

/** How people show that an account or an address is theirs. */
export interface RecoverySettings {
  /** Whether the scheduler sends mail. */
  sendsMail: boolean;
  resetLifetimeMs: number;
  verificationLifetimeMs: number;
  /** With a token of one kind, to one account and to one address. */
  mailsPerHour: number;
  /** Whether somebody may sign in whose e-mail is not verified. */
  unverifiedMaySignIn: boolean;
}

const registrations = ['open', 'invitation', 'closed'] as const;

const passwordRule = `must have at least ${minPasswordCharacters} characters and at most ${maxPasswordBytes} bytes`;

const shape = {
  TASKFLOW_USERS_ADDRESS: addressType('users'),
  TASKFLOW_AUTH_ENCRYPTION_KEY: envTypes.keys32(),
  TASKFLOW_AUTH_ADMIN_EMAIL: envTypes
    .text()
    .transform(normaliseEmail)
    .refine(looksLikeEmail, 'must be an e-mail address')
    .optional(),
  TASKFLOW_AUTH_ADMIN_PASSWORD: envTypes
    .text()
    .refine((text) => isLongEnough(text) && isShortEnough(text), passwordRule)
    .optional(),
  // 0 = strict: every repeated use of a refresh token ends its session, also when its answer was lost.
  TASKFLOW_AUTH_REFRESH_GRACE_MS: envTypes.wholeNumber(10_000, 600_000),
  TASKFLOW_AUTH_PASSWORD_ATTEMPTS: envTypes.positiveInt(5, 1000),
  TASKFLOW_AUTH_PASSWORD_WAIT_MS: envTypes.positiveInt(1000, 3_600_000),
  TASKFLOW_AUTH_PASSWORD_MAX_WAIT_MS: envTypes.positiveInt(15 * 60_000, 24 * 3_600_000),
  TASKFLOW_AUTH_SESSION_LIFETIME_MS: envTypes.positiveInt(30 * 24 * 3_600_000, 400 * 24 * 3_600_000),
  TASKFLOW_AUTH_REGISTRATION: envTypes.oneOf(registrations, 'open'),
  // 0 = it cannot.
  TASKFLOW_AUTH_DELETION_GRACE_MS: envTypes.wholeNumber(30 * 24 * 3_600_000, 400 * 24 * 3_600_000),
  TASKFLOW_TASKS_ADDRESS: addressType('tasks'),
  TASKFLOW_SCHEDULER_ADDRESS: addressType('scheduler'),
  TASKFLOW_MAIL: envTypes.mailWay(),
  TASKFLOW_AUTH_RESET_LIFETIME_MS: envTypes.positiveInt(15 * 60_000, 24 * 3_600_000),
  TASKFLOW_AUTH_VERIFICATION_LIFETIME_MS: envTypes.positiveInt(24 * 3_600_000, 30 * 24 * 3_600_000),
  TASKFLOW_AUTH_MAILS_PER_HOUR: envTypes.positiveInt(5, 1000),
  TASKFLOW_AUTH_UNVERIFIED_SIGN_IN: envTypes.oneOf(['allowed', 'refused'], 'allowed'),
  TASKFLOW_AUTH_INVITATION_LIFETIME_MS: envTypes.positiveInt(7 * 24 * 3_600_000, 90 * 24 * 3_600_000),
  TASKFLOW_AUTH_JWKS_MAX_AGE_MS: envTypes
    .positiveInt(60_000, 3_600_000)
    .refine((ms) => ms >= 1000, 'must be at least 1000'),
  // Replicas and callers notice a new key some seconds late, and a failed fetch is repeated.
  TASKFLOW_AUTH_KEY_MARGIN_MS: envTypes
    .positiveInt(30_000, 3_600_000)
    .refine((ms) => ms >= 4000, 'must be at least 4000'),
};

/** Throws ConfigError with every fault at once. */
export function readConfig(env: NodeJS.ProcessEnv = process.env): AuthConfig {
  const { common, own } = loadWith([...findPairFaults(env), ...findMailFaults(env)], env);
  const { TASKFLOW_AUTH_ADMIN_EMAIL: email, TASKFLOW_AUTH_ADMIN_PASSWORD: password } = own;
  return {
    ...common,
    limits: toLimitsConfig(own),
    usersAddress: own.TASKFLOW_USERS_ADDRESS,
    encryptionKeys: own.TASKFLOW_AUTH_ENCRYPTION_KEY,
    administrator: email === undefined || password === undefined ? undefined : { email, password },
    passwordAttempts: {
      free: own.TASKFLOW_AUTH_PASSWORD_ATTEMPTS,
      firstWaitMs: own.TASKFLOW_AUTH_PASSWORD_WAIT_MS,
      longestWaitMs: own.TASKFLOW_AUTH_PASSWORD_MAX_WAIT_MS,
    },
    refreshGraceMs: own.TASKFLOW_AUTH_REFRESH_GRACE_MS,
    sessionLifetimeMs: own.TASKFLOW_AUTH_SESSION_LIFETIME_MS,
    registration: own.TASKFLOW_AUTH_REGISTRATION,
    invitationLifetimeMs: own.TASKFLOW_AUTH_INVITATION_LIFETIME_MS,
    deletionGraceMs: own.TASKFLOW_AUTH_DELETION_GRACE_MS,
    tasksAddress: own.TASKFLOW_TASKS_ADDRESS,
    schedulerAddress: own.TASKFLOW_SCHEDULER_ADDRESS,
    recovery: {
      sendsMail: own.TASKFLOW_MAIL !== 'off',
      resetLifetimeMs: own.TASKFLOW_AUTH_RESET_LIFETIME_MS,
      verificationLifetimeMs: own.TASKFLOW_AUTH_VERIFICATION_LIFETIME_MS,
      mailsPerHour: own.TASKFLOW_AUTH_MAILS_PER_HOUR,
      unverifiedMaySignIn: own.TASKFLOW_AUTH_UNVERIFIED_SIGN_IN === 'allowed',
    },
    jwksMaxAgeMs: own.TASKFLOW_AUTH_JWKS_MAX_AGE_MS,
    keyMarginMs: own.TASKFLOW_AUTH_KEY_MARGIN_MS,
  };
}

function loadWith(otherFaults: readonly string[], env: NodeJS.ProcessEnv) {
  try {
    const config = loadServiceConfig('auth', { ...limitsEntries(policies, env), ...shape }, env);
    if (otherFaults.length > 0) throw new ConfigError([]);
    return config;
  } catch (error) {
    throw error instanceof ConfigError ? new ConfigError([...error.faults, ...otherFaults]) : error;
  }
}

/** An administrator has an e-mail and a password, or is not configured at all. */
function findPairFaults(env: NodeJS.ProcessEnv): string[] {
  const isGiven = (name: string): boolean =>
    [env[name], env[`${name}_FILE`]].some((value) => value !== undefined && value !== '');
  const names = ['TASKFLOW_AUTH_ADMIN_EMAIL', 'TASKFLOW_AUTH_ADMIN_PASSWORD'];
  const missing = names.filter((name) => !isGiven(name));
  return missing.length === 1
    ? [`${missing[0]}: is missing; the administrator needs both an e-mail and a password, or neither`]
    : [];
}

/** Without mail nobody could verify an e-mail, and so nobody could sign in. */
function findMailFaults({
  TASKFLOW_AUTH_UNVERIFIED_SIGN_IN: signIn,
  TASKFLOW_MAIL: mail = '',
}: NodeJS.ProcessEnv): string[] {
  return signIn === 'refused' && ['', 'off'].includes(mail)
    ? ['TASKFLOW_AUTH_UNVERIFIED_SIGN_IN: may be refused only where TASKFLOW_MAIL sends mail']
    : [];
}
