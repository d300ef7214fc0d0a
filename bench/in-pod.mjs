/**
 * Loaded into the measured webhook with --import: its service account's files come from FLOE_BENCH_POD, so that it
 * runs as it does in a pod, without the kubeconfig library.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
const directory = process.env['FLOE_BENCH_POD'] ?? '';
const { readFile } = fs.promises;
fs.promises.readFile = (path, ...rest) => readFile(String(path).replace(ACCOUNT, directory), ...rest);
syncBuiltinESMExports();
