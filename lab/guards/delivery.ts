import type { Guard } from './guard.ts'

export const deliveryGuards: Guard[] = [
  {
    safeguard: 'Docker Compose publishes the gateway only on the loopback interface',
    file: 'docker-compose.yaml',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Compose replaces the variable
    remove: '${SOUK_BIND:-127.0.0.1}:8080:8080',
    replace: '8080:8080',
    test: 'deploy/test/compose.test.ts',
  },
  {
    safeguard: 'Images are published only after the tests of the same commit',
    file: '.github/workflows/images.yaml',
    remove: '    needs: ci\n',
    replace: '',
    test: 'deploy/test/workflows.test.ts',
  },
]
