// The page at /docs: Swagger UI on our own description of the API; nothing is asked of other servers.
SwaggerUIBundle({
  url: "/api/v1/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
});
