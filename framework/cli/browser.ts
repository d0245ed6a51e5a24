import { spawn } from 'node:child_process';
import type { Io } from './io.ts';

/** The platform's own way to open an address; undefined where no person sees a browser (SSH, no display). */
export function browserCommand(io: Pick<Io, 'env'>, platform: NodeJS.Platform = process.platform): readonly string[] | undefined {
  const { env } = io;
  // BROWSER=none is how people say "do not".
  if (env.BROWSER === 'none' || env.SSH_CONNECTION || env.SSH_TTY) return undefined;
  if (env.BROWSER) return [env.BROWSER];
  if (platform === 'darwin') return ['open'];
  // No shell: `start` would read & in an address as its own.
  if (platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler'];
  return env.DISPLAY || env.WAYLAND_DISPLAY || env.WSL_DISTRO_NAME ? ['xdg-open'] : undefined;
}

/** True when the opener was started; whether a window came up only the person can see. */
export async function openBrowser(io: Io, url: string): Promise<boolean> {
  const command = browserCommand(io);
  if (command === undefined) return false;
  const [program = '', ...args] = command;
  return await new Promise((resolve) => {
    const child = spawn(program, [...args, url], { stdio: 'ignore', detached: true });
    child.once('error', () => resolve(false));
    child.once('spawn', () => {
      child.unref();
      resolve(true);
    });
  });
}
