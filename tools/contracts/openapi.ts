/** The parts of an OpenAPI 3.1 document that the tools read. */
export interface OpenApi {
  openapi: string
  info: Record<string, unknown>
  servers: unknown[]
  tags?: { name: string; description?: string }[]
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, object>; securitySchemes?: Record<string, object> }
}

export interface Operation {
  operationId: string
  requestBody?: { content: Record<string, { schema: object }> }
  responses: Record<string, { content?: Record<string, { schema: object }> }>
}
