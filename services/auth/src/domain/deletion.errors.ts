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

/** Nobody has the e-mail, or the caller may not find them by it: one answer, which does not repeat the e-mail. */
export function successorEmailNotFound(): AppError {
  const description = 'the caller finds nobody by this e-mail to whom the tasks could pass';
  return new AppError('failed_precondition', 'SUCCESSOR_NOT_FOUND', description, {
    details: {
      violations: [{ field: 'successor_email', description }],
      preconditions: [{ type: 'SUCCESSOR_NOT_FOUND', subject: 'successor_email', description }],
    },
  });
}

export const foreignAccount = (): AppError =>
  new AppError('permission_denied', 'ADMIN_REQUIRED', 'only administrators may delete other accounts');
