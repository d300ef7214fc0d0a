/** What can be typed. A command is one declaration in a file of its own, and one line here; help keeps the order. */
import type { CommandDeclaration } from './command.ts';
import { CREATE_COMMAND } from './create-command.ts';
import { ANNOTATE_COMMAND } from './annotate-command.ts';
import { COMPLETION_COMMAND } from './completion-command.ts';
import { DOCTOR_COMMAND } from './doctor-command.ts';
import { EXPLAIN_COMMAND } from './explain-command.ts';
import { GATES_COMMAND } from './gates-command.ts';
import { EXPORT_COMMAND } from './export-command.ts';
import { LIST_COMMAND } from './list-command.ts';
import { MIGRATE_COMMAND } from './migrate-command.ts';
import { POLICY_COMMAND } from './policy-command.ts';
import { RESTART_COMMAND } from './restart-command.ts';
import { RESTORE_COMMAND } from './restore-command.ts';
import { REVIEW_COMMAND } from './review-command.ts';
import { SCAN_COMMAND } from './scan-command.ts';
import { SERVE_COMMAND } from './serve-command.ts';
import { STATUS_COMMAND } from './status-command.ts';
import { SYNC_COMMAND } from './sync-command.ts';
import { UNINSTALL_COMMAND } from './uninstall-command.ts';
import { USAGE_COMMAND } from './usage-command.ts';
import { VALIDATE_COMMAND } from './validate-command.ts';

export const COMMANDS: readonly CommandDeclaration[] = [
  SERVE_COMMAND,
  REVIEW_COMMAND,
  EXPLAIN_COMMAND,
  LIST_COMMAND,
  STATUS_COMMAND,
  SCAN_COMMAND,
  USAGE_COMMAND,
  RESTART_COMMAND,
  GATES_COMMAND,
  VALIDATE_COMMAND,
  CREATE_COMMAND,
  SYNC_COMMAND,
  MIGRATE_COMMAND,
  DOCTOR_COMMAND,
  UNINSTALL_COMMAND,
  ANNOTATE_COMMAND,
  POLICY_COMMAND,
  EXPORT_COMMAND,
  RESTORE_COMMAND,
  COMPLETION_COMMAND,
];
