export { fieldsOf, type Fields } from './fields.ts';
