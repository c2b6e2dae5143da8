í
"serve¾
;
aPlaceholder*
dtype0*
shape:ÿÿÿÿÿÿÿÿÿ
;
bPlaceholder*
dtype0*
shape:ÿÿÿÿÿÿÿÿÿ

sumAddV2ab*
T0
 

differenceSubab*
T0"¿* 
serving_defaultŒ
"
left
a:0ÿÿÿÿÿÿÿÿÿ
#
right
b:0ÿÿÿÿÿÿÿÿÿ%
total
sum:0ÿÿÿÿÿÿÿÿÿtensorflow/serving/predict