// Addresses are relative to the page: a proxy may show it under a path of its own. The key stays in the page's memory.
/* global SwaggerUIBundle */
SwaggerUIBundle({ url: 'openapi.json', dom_id: '#swagger-ui', deepLinking: true, validatorUrl: null });
