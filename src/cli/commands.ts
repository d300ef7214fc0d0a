/** What can be typed. A command is one declaration in a file of its own, and one line here; help keeps the order. */
import type { CommandDeclaration } from './command.ts';
import { LIST_COMMAND } from './list-command.ts';
import { REVIEW_COMMAND } from './review-command.ts';
import { SERVE_COMMAND } from './serve-command.ts';
import { STATUS_COMMAND } from './status-command.ts';
import { VALIDATE_COMMAND } from './validate-command.ts';

export const COMMANDS: readonly CommandDeclaration[] = [
  SERVE_COMMAND,
  REVIEW_COMMAND,
  LIST_COMMAND,
  STATUS_COMMAND,
  VALIDATE_COMMAND,
];
