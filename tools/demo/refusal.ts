/** A refusal as kubectl prints it. */
export function refusalText(reason: string, message: string, file: string): string {
  const why = reason === '' ? '' : ` (${reason})`;
  return `Error from server${why}: error when creating "${file}": ${message}`;
}
