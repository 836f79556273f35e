import { AppError } from '#libs/errors';

const aboutAccount = (reason: string, userId: string, description: string) => ({
  metadata: { userId },
  preconditions: [{ type: reason, subject: `accounts/${userId}`, description }],
});

/** Told after the right password, or to administrators. */
export const accountDeleted = (purgeTime: Date): AppError =>
  new AppError('failed_precondition', 'ACCOUNT_DELETED', 'the account is deleted', {
    details: {
      metadata: { purgeTime: purgeTime.toISOString() },
      preconditions: [
        {
          type: 'ACCOUNT_DELETED',
          subject: 'account',
          description: `take it back before ${purgeTime.toISOString()}, when it is removed for good`,
        },
      ],
    },
  });

export const configuredAdministrator = (userId: string): AppError =>
  new AppError('failed_precondition', 'CONFIGURED_ADMIN', 'the settings name this account as administrator', {
    details: aboutAccount('CONFIGURED_ADMIN', userId, 'name another one in TASKFLOW_AUTH_ADMIN_EMAIL first'),
  });

export const successorNotFound = (userId: string): AppError =>
  new AppError('failed_precondition', 'SUCCESSOR_NOT_FOUND', 'the tasks cannot pass to this account', {
    details: aboutAccount('SUCCESSOR_NOT_FOUND', userId, 'name another account that exists and is enabled'),
  });

export const foreignAccount = (): AppError =>
  new AppError('permission_denied', 'ADMIN_REQUIRED', 'only administrators may delete other accounts');
