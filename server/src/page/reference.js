SwaggerUIBundle({
  url: '../openapi',
  dom_id: '#reference',
  deepLinking: true,
  tryItOutEnabled: true,
  // No other host is asked whether the description is valid.
  validatorUrl: null,
});
