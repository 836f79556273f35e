/** Who asks for something. */
export interface Person {
  userId: string;
  role: 'user' | 'admin';
}
