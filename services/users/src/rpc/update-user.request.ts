import { z } from 'zod';
import { UpdateUserRequest, User } from '#contract/users/v1/users';
import { toColumnName } from '#libs/db';
import { changedFields, fieldTypes, parseRequest, schemaPerFields, updateMaskType } from '#libs/errors';
import { fieldsOf } from '#libs/fields';
import { profileTable } from '../domain/profile.columns.ts';
import { channelsWithoutMail } from '../domain/profile.inputs.ts';
import type { UpdateUserInput } from '../use-cases/update-user.ts';

const changeable = profileTable.schemas('change');
const changeableWithoutMail = { ...changeable, channels: channelsWithoutMail };
type Field = keyof typeof changeable;
/** By their names in an update mask. */
const maskFields = new Map((Object.keys(changeable) as Field[]).map((field) => [toColumnName(field), field]));
const allPaths = [...maskFields.keys()];

const isSet = (value: User[Field]): boolean =>
  value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0);

function namedFields({ user, updateMask: mask }: UpdateUserRequest): Field[] {
  const paths = changedFields(allPaths, mask, (path) => isSet(user?.[maskFields.get(path) as Field]));
  return paths.map((path) => maskFields.get(path) as Field);
}

/** Which fields of the user are checked depends on the mask: the others are not read and may hold anything. */
const schemasOf = (schemas: Record<Field, z.ZodType>) =>
  schemaPerFields([...maskFields.values()], (fields) =>
    z.object({
      user: z.object(
        {
          id: fieldTypes.uuid(),
          etag: fieldsOf('taskflow.users.v1.User').text('etag'),
          ...Object.fromEntries(fields.map((field) => [field, schemas[field]])),
        },
        'must be set',
      ),
      updateMask: updateMaskType(allPaths, fields),
      requestId: fieldTypes.idempotencyKey(),
      validateOnly: z.boolean(),
    }),
  );
const schemaWithMail = schemasOf(changeable);
const schemaWithoutMail = schemasOf(changeableWithoutMail);

/** `mailsOn`: whether the server sends mails. */
export function readUpdateUser(request: UpdateUserRequest, { mailsOn }: { mailsOn: boolean }): UpdateUserInput {
  const named = namedFields(request);
  const schemaOf = mailsOn ? schemaWithMail : schemaWithoutMail;
  const { user, requestId: idempotencyKey, validateOnly } = parseRequest(schemaOf(named), request);
  const { id: userId, etag, ...change } = user;
  const sent = new Set<string>(['id', 'etag', ...named]);
  const read: Partial<User> = Object.fromEntries(Object.entries(request.user ?? {}).filter(([key]) => sent.has(key)));
  const body = UpdateUserRequest.fromPartial({ ...request, user: User.fromPartial(read), requestId: '' });
  return { userId, etag, change, idempotencyKey, validateOnly, body };
}
