export { AppError, invalidFields, toAppError, type ErrorDetails, type FieldViolation } from './app-error.ts';
export { errorTable, kindOfCode, type ErrorKind } from './error-table.ts';
export { reasons, type ErrorReason } from './reasons.ts';
export { fieldTypes, parseRequest } from './request-fields.ts';
