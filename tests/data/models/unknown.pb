
.
xPlaceholder*
dtype0*
shape:
 
yNoSuchOperationx*
T0"¿