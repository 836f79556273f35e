/** What a program's arguments mean: the text beside it, `main.usage.txt` of `main.ts`. Takes its path or its file: URL. */
export function usageOf(program: string): string;

/** Whether somebody only wants to know what the arguments mean. What stands behind `--` is not for the program itself. */
export function asksForHelp(args: readonly string[]): boolean;
